import { describe, expect, it } from 'vitest';
import { GitExitError } from './git-exit-error.js';
import { classifyGit, isCorruptMirror, redact } from './git.classifier.js';

const said = (stderr: string): GitExitError => new GitExitError('fetch', 128, stderr, '', false);

describe('classifyGit', () => {
  it.each([
    [
      "fatal: unable to access 'http://127.0.0.1:1/x.git/': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
      'transient',
      'git-unreachable',
    ],
    [
      "fatal: unable to access 'https://nowhere.example/x.git/': Could not resolve host: nowhere.example",
      'transient',
      'git-unreachable',
    ],
    [
      "fatal: unable to access 'https://h/x.git/': The requested URL returned error: 503",
      'transient',
      'git-unreachable',
    ],
    [
      'error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: early EOF',
      'transient',
      'git-unreachable',
    ],
    [
      'ssh: connect to host h port 22: Connection timed out\nfatal: Could not read from remote repository.',
      'transient',
      'git-unreachable',
    ],
    [
      "fatal: unable to access 'https://h/x.git/': The requested URL returned error: 429",
      'throttled',
      'git-throttled',
    ],
    [
      "fatal: unable to access 'https://h/x.git/': The requested URL returned error: 403",
      'denied',
      'git-denied',
    ],
    ["fatal: could not read Username for 'https://h': terminal prompts disabled", 'denied', 'git-denied'],
    [
      'remote: HTTP Basic: Access denied\nfatal: Authentication failed for https://h/x.git/',
      'denied',
      'git-denied',
    ],
    [
      'git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.',
      'denied',
      'git-denied',
    ],
    [
      "remote: Repository not found.\nfatal: repository 'https://h/x.git/' not found",
      'denied',
      'git-not-found',
    ],
    [
      'Host key verification failed.\nfatal: Could not read from remote repository.',
      'denied',
      'git-untrusted',
    ],
    [
      "fatal: unable to access 'https://h/x.git/': SSL certificate problem: self-signed certificate",
      'denied',
      'git-untrusted',
    ],
    ["fatal: transport 'file' not allowed", 'denied', 'git-redirected'],
    ['fatal: write error: No space left on device', 'denied', 'mirror-disk-full'],
    [
      "error: cannot lock ref 'refs/heads/dev': Unable to create '/m/refs/heads/dev.lock': File exists.",
      'transient',
      'mirror-busy',
    ],
    ['fatal: something that nobody has seen before', 'bug', 'git-failed'],
  ])('%s', (stderr, failureClass, code) => {
    expect(classifyGit(said(stderr), 'https://h/x.git', [])).toMatchObject({ class: failureClass, code });
  });

  it('keeps secrets out', () => {
    const failure = classifyGit(
      said("fatal: Authentication failed for 'https://bob:hunter22@h/x.git' (token hunter22)"),
      'https://h/x.git',
      ['hunter22'],
    );
    expect(JSON.stringify(failure)).not.toContain('hunter22');
    expect(redact('https://u:p@h/ ssh://git@h/', [])).toBe('https://h/ ssh://h/');
  });

  it('knows a damaged mirror from a troubled remote', () => {
    expect(
      isCorruptMirror(
        said('error: object file ./objects/ab/cd is empty\nfatal: loose object abcd is corrupt'),
      ),
    ).toBe(true);
    expect(isCorruptMirror(said("fatal: unable to access 'http://h/': Connection refused"))).toBe(false);
    expect(classifyGit(new Error('spawn git ENOENT'), 'x', [])).toMatchObject({ code: 'git-missing' });
  });
});
