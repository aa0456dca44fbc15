import { days, formatDuration, toIso } from '#kernel';
import type { Finding } from '#fleet';
import { finding } from './catalogue.js';
import { judge, plural, verdict, type Verdict } from './check.js';
import type { CertificateView, DoctorObservation } from './observation.js';

const WARN_BEFORE = days(30);
const URGENT_BEFORE = days(7);

/** Certificates that Fairway meets: the API servers', its own, those of webhooks and aggregated APIs. */
export function certificatesCheck({ certificates, now }: DoctorObservation): Verdict {
  return judge(certificates, (all) => {
    const next = Math.min(...all.map(({ notAfter }) => notAfter));
    const first = Number.isFinite(next) ? `, the first expires in ${formatDuration(next - now)}` : '';
    return verdict(
      `${plural(all.length, 'certificate')}${first}`,
      all.flatMap((certificate) => expiry(certificate, now)),
    );
  });
}

function expiry({ name, notAfter }: CertificateView, now: number): readonly Finding[] {
  const left = notAfter - now;
  const subject = name;
  const remedy = 'Renew it, and find out why it was not renewed by itself.';
  if (left <= 0) {
    const message = `${name} expired ${formatDuration(-left)} ago (${toIso(notAfter)})`;
    return [finding('certificate-expired', { subject, message, remedy, since: notAfter })];
  }
  if (left > WARN_BEFORE) return [];
  const message = `${name} expires in ${formatDuration(left)} (${toIso(notAfter)})`;
  const urgent = left <= URGENT_BEFORE ? { severity: 'error' as const } : {};
  return [finding('certificate-expiring', { subject, message, remedy, ...urgent })];
}
