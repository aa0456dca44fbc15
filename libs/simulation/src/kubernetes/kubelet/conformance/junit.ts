import { gzipSync } from 'node:zlib';
import { sha256Hex } from '#kernel';

export interface TestResult {
  readonly name: string;
  readonly seconds: number;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly message?: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ESCAPES[character] as string);

/** JUnit XML as ginkgo writes it: skipped tests are listed and counted apart. */
export function junitXml(suite: string, results: readonly TestResult[]): string {
  const count = (outcome: TestResult['outcome']): number =>
    results.filter((result) => result.outcome === outcome).length;
  const total = results.reduce((sum, result) => sum + result.seconds, 0);
  const totals = `tests="${results.length}" disabled="0" errors="0" failures="${count('failed')}" time="${total}"`;
  const cases = results.map((result) => {
    const open = `      <testcase name="${escape(result.name)}" classname="${escape(suite)}" status="${result.outcome}" time="${result.seconds}"`;
    if (result.outcome === 'passed') return `${open}></testcase>`;
    if (result.outcome === 'skipped') return `${open}><skipped message="skipped"></skipped></testcase>`;
    const message = escape(result.message ?? 'failed');
    return `${open}><failure message="${message}" type="failed">${message}</failure></testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${totals}>`,
    `  <testsuite name="${escape(suite)}" package="/e2e" skipped="${count('skipped')}" ${totals}>`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/** How a report travels through a container log: gzip, base64 in lines of 76, and the digest of the XML at the end. */
export function frame(name: string, xml: string): readonly string[] {
  const text = gzipSync(Buffer.from(xml)).toString('base64');
  return [
    `-----BEGIN FAIRWAY JUNIT ${name}-----`,
    ...(text.match(/.{1,76}/g) ?? []),
    `-----END FAIRWAY JUNIT ${name} sha256=${sha256Hex(xml)}-----`,
  ];
}
