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
  installRedis();
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
  for (const problem of problems) console.log(`FAILED: ${problem}`);
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return totals.failed > 0 || problems.length > 0 ? 1 : 0;
}

/** Told and forgotten: locally a machine may lack something. */
function warnings() {
  return { push: (line) => console.log(`\nWARNING: ${line}`) };
}

async function runProject(project) {
  const report = join(work, `${project}.json`);
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [vitest, 'run', '--project', project, ...reporters], {
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
  return judge(project, code, report);
}

function judge(project, code, report) {
  if (!existsSync(report)) {
    problems.push(`${project}: vitest ended with ${code} and told no result`);
    return { passed: 0, failed: 0, skipped: 0 };
  }
  const result = JSON.parse(readFileSync(report, 'utf8'));
  const counts = {
    passed: result.numPassedTests,
    failed: result.numFailedTests,
    skipped: result.numPendingTests + result.numTodoTests,
  };
  const files = result.testResults ?? [];
  for (const file of files) {
    if (file.assertionResults.length > 0) continue;
    const reason = file.message ? `: ${stripVTControlCharacters(file.message).split('\n')[0]}` : '';
    problems.push(`${project}: ${file.name.replace(ROOT, '')} executed no test${reason}`);
  }
  if (counts.passed + counts.failed === 0) problems.push(`${project}: no test was executed`);
  if (code !== 0 && counts.failed === 0) problems.push(`${project}: vitest ended with ${code}`);
  return counts;
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

/** The Redis half of the queue's contract must run in CI; there, as root on Debian, we may bring what it needs. */
function installRedis() {
  const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  if (!CI || process.env.FAIRWAY_TEST_REDIS_URL || has('redis-server')) return;
  if (process.getuid?.() !== 0 || !has('apt-get')) return;
  console.log('installing redis-server');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('sh', ['-c', 'apt-get update -qq && apt-get install -y -qq redis-server'], {
    env,
    stdio: 'inherit',
  });
}
