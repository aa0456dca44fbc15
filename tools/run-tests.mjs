// Runs the test projects one after another and ends with one plain line, `N passed, N failed, N skipped`.
// Usage: node tools/run-tests.mjs [project ...]      (unit, integration, acceptance; all by default)
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PROJECTS = ['unit', 'integration', 'acceptance'];
const CI = process.env.CI === 'true';
/** Everything that a run starts inherits it, so that what is left at the end can be told from other programs. */
const RUN_MARK = `FAIRWAY_TEST_RUN=${randomUUID()}`;

const work = mkdtempSync(join(tmpdir(), 'fairway-tests-'));
const notRunFile = join(work, 'suites-not-run');
const problems = [];
const unsteady = [];
let reports = 0;
let running;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (running) killGroup(running, 'SIGKILL');
    sweep();
    process.exit(130);
  });
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !PROJECTS.includes(name));
if (unknown.length > 0) {
  console.error(`unknown project ${unknown.join(', ')}; there are ${PROJECTS.join(', ')}`);
  process.exit(2);
}
process.exitCode = await main(wanted.length > 0 ? wanted : PROJECTS);

async function main(projects) {
  installServers();
  const totals = { passed: 0, failed: 0, skipped: 0 };
  try {
    for (const project of projects) {
      console.log(`\n== ${project}`);
      const counts = await runProject(project);
      for (const key of Object.keys(totals)) totals[key] += counts[key];
    }
    const notRun = existsSync(notRunFile) ? readFileSync(notRunFile, 'utf8').trim().split('\n') : [];
    for (const line of new Set(notRun)) (CI ? problems : warnings()).push(line);
  } finally {
    sweep();
    rmSync(work, { recursive: true, force: true });
  }
  console.log('');
  for (const test of unsteady) console.log(`UNSTEADY (failed, then passed on its own): ${test}`);
  for (const problem of problems) console.log(`FAILED: ${problem}`);
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return totals.failed > 0 || problems.length > 0 ? 1 : 0;
}

/** Told and forgotten: locally a machine may lack something. */
function warnings() {
  return { push: (line) => console.log(`\nWARNING: ${line}`) };
}

/**
 * Suites that talk to real servers share their machine with others. What failed there runs once more, file by file and
 * alone; what passes then is counted as passed and named as unsteady, to be looked into. Unit tests get one chance.
 */
async function runProject(project) {
  const results = await runVitest(project, []);
  const failed = [...results.values()].filter((file) => !file.green);
  for (const first of project === 'unit' ? [] : failed) {
    if (first.name === undefined) continue;
    console.log(`\n== ${project}, once more and alone: ${first.name}`);
    const second = (await runVitest(project, [first.name])).get(first.name);
    if (!second?.green) continue;
    results.set(first.name, second);
    unsteady.push(first.name + first.failures.map((test) => `\n  ${test}`).join(''));
  }
  const all = [...results.values()];
  problems.push(...all.flatMap((file) => file.problems.map((problem) => `${project}: ${problem}`)));
  const sum = (key) => all.reduce((total, file) => total + file[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

async function runVitest(project, files) {
  const report = join(work, `${project}-${reports++}.json`);
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [vitest, 'run', '--project', project, ...reporters, ...files], {
    cwd: ROOT,
    stdio: 'inherit',
    // A group of its own, so that nothing of it survives it.
    detached: true,
    env: {
      ...process.env,
      [RUN_MARK.split('=')[0]]: RUN_MARK.split('=')[1],
      FAIRWAY_SUITES_NOT_RUN: notRunFile,
    },
  });
  running = child.pid;
  const code = await new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (status, signal) => resolve(signal ?? status));
  });
  running = undefined;
  killGroup(child.pid, 'SIGKILL');
  return judge(code, report);
}

/** What a run says of each of its files, by path; what it says of none stands under `undefined`. */
function judge(code, report) {
  if (!existsSync(report))
    return new Map([[undefined, nobody(`vitest ended with ${code} and told no result`)]]);
  const files = (JSON.parse(readFileSync(report, 'utf8')).testResults ?? []).map(judgeFile);
  const results = new Map(files.map((file) => [file.name, file]));
  if (files.every(({ passed, failed }) => passed + failed === 0))
    results.set(undefined, nobody('no test was executed'));
  else if (code !== 0 && files.every(({ green }) => green))
    results.set(undefined, nobody(`vitest ended with ${code}`));
  return results;
}

function judgeFile({ name, status, message, assertionResults }) {
  const having = (...states) => assertionResults.filter((test) => states.includes(test.status));
  const failures = having('failed').map(({ fullName }) => fullName);
  const passed = having('passed').length;
  const file = name.replace(ROOT, '');
  const reason = message ? `: ${stripVTControlCharacters(message).split('\n')[0]}` : '';
  const broken = failures.length === 0 && (status === 'failed' || assertionResults.length === 0);
  return {
    name: file,
    green: failures.length === 0 && !broken,
    passed,
    failed: failures.length,
    skipped: assertionResults.length - passed - failures.length,
    failures,
    problems: broken ? [`${file} did not run to its end${reason}`] : [],
  };
}

function nobody(problem) {
  return {
    name: undefined,
    green: false,
    passed: 0,
    failed: 0,
    skipped: 0,
    failures: [],
    problems: [problem],
  };
}

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone: as it should be.
  }
}

/** Linux tells the environment of a process: whatever still carries our mark was started by the tests. */
function sweep() {
  if (!existsSync('/proc/self/environ')) return;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (Number(pid) === process.pid || !readFileSync(`/proc/${pid}/environ`, 'utf8').includes(RUN_MARK))
        continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      process.kill(Number(pid), 'SIGKILL');
      console.log(`\nWARNING: left running by the tests, killed: ${command.slice(0, 120)}`);
    } catch {
      // Gone meanwhile, or somebody else's.
    }
  }
}

/** Real servers that contracts and acceptance need: in CI, as root on Debian, we bring what the machine lacks. */
function installServers() {
  const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  if (!CI || process.getuid?.() !== 0 || !has('apt-get')) return;
  const missing = [
    ...(process.env.FAIRWAY_TEST_REDIS_URL || has('redis-server') ? [] : ['redis-server']),
    ...(process.env.FAIRWAY_TEST_ETCD || has('etcd') ? [] : ['etcd-server']),
    // Restore drills of backups use etcd's own tools.
    ...(has('etcdutl') || has('etcdctl') ? [] : ['etcd-client']),
  ];
  if (missing.length === 0) return;
  console.log(`installing ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = `apt-get update -qq && apt-get install -y -qq --no-install-recommends ${missing.join(' ')}`;
  spawnSync('sh', ['-c', install], { env, stdio: 'inherit' });
  // Where there is an init system the packages start services of their own; the tests start theirs.
  for (const service of ['redis-server', 'etcd']) {
    spawnSync('sh', ['-c', `command -v systemctl >/dev/null && systemctl stop ${service}`]);
  }
}
