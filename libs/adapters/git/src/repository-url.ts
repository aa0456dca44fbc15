import { fail, sha256Hex } from '#kernel';

/** A repository's address, taken apart so that no secret of it reaches a command line or a message. */
export interface RepositoryUrl {
  /** Without user and password. Safe to show. */
  readonly url: string;
  readonly protocol: 'https' | 'http' | 'ssh' | 'file';
  /** `https://host:port`; undefined for ssh and file. */
  readonly origin?: string;
  readonly username?: string;
  readonly password?: string;
  /** Name of the mirror's directory. */
  readonly slug: string;
}

/** `git@host:team/config.git` */
const SCP_LIKE = /^(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!\/\/)[^\s]+$/;

export function parseRepositoryUrl(text: string, allowFiles: boolean): RepositoryUrl {
  if (text.startsWith('-') || hasControls(text)) return refuse('it holds characters that no address has');
  if (!text.includes('://') && SCP_LIKE.test(text)) return { url: text, protocol: 'ssh', slug: slugOf(text) };
  if (!URL.canParse(text)) return refuse('it is no URL');
  const parsed = new URL(text);
  const protocol = parsed.protocol.slice(0, -1);
  switch (protocol) {
    case 'https':
    case 'http':
      return httpUrl(parsed, protocol);
    case 'ssh': {
      parsed.password = '';
      return { url: parsed.href, protocol, slug: slugOf(parsed.href) };
    }
    case 'file':
      if (allowFiles) return { url: parsed.href, protocol, slug: slugOf(parsed.href) };
      return refuse('file addresses are not allowed here');
    default:
      return refuse(`the protocol ${protocol} is not allowed`);
  }
}

function httpUrl(parsed: URL, protocol: 'https' | 'http'): RepositoryUrl {
  const username = decodeURIComponent(parsed.username);
  const password = decodeURIComponent(parsed.password);
  parsed.username = '';
  parsed.password = '';
  return {
    url: parsed.href,
    protocol,
    origin: parsed.origin,
    slug: slugOf(parsed.href),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
  };
}

const hasControls = (text: string): boolean =>
  [...text].some((character) => character.charCodeAt(0) < 0x21 || character.charCodeAt(0) === 0x7f);

function slugOf(url: string): string {
  const readable = url
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .slice(-60);
  return `${readable.replace(/^-+|-+$/g, '')}-${sha256Hex(url).slice(0, 12)}.git`;
}

const refuse = (why: string): never =>
  fail({
    class: 'invalid',
    code: 'repository-url-invalid',
    message: `the repository's address is not usable: ${why}`,
    hint: 'use https://host/path.git, ssh://host/path.git or git@host:path.git',
  });
