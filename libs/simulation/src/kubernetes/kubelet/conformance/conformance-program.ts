import { seconds } from '#kernel';
import type { ClusterView } from '../../controllers/cluster-view.js';
import { conditionOf } from '../../controllers/conditions.js';
import type { Container, Pod } from '../../controllers/objects.js';
import type { Deployment } from '../../controllers/workloads.js';
import type { ContainerProcess, ContainerProgram } from '../container-program.js';
import { conformanceTests, type ConformanceTest } from './conformance-tests.js';
import { frame, junitXml, type TestResult } from './junit.js';

const IMAGE = /(^|\/)conformance(:|@|$)/;
const BREAKS = 'sim.fairway.dev/breaks-conformance';
/** The shared volume's contents: the report, and the file whose presence says that it is whole. */
const REPORT = 'junit_01.xml';
const DONE = 'done';
const POLL = seconds(1);
const DEPLOYMENT_TEST = /\[sig-apps\] Deployment RollingUpdateDeployment/;

/** Decides a test's fate when it is run; undefined lets the cluster's content decide. */
export type ConformanceBehaviour = (test: string) => { readonly fails: string } | undefined;

const runsConformance = (container: Container): boolean => IMAGE.test(container.image);
const runsConformancePod = (pod: Pod): boolean => pod.spec?.containers.some(runsConformance) === true;

/**
 * The conformance image and the container beside it that carries the report out. A test fails where a Deployment or ConfigMap is
 * marked to break it (a mark that names no known test is a failing test of its own); where any Deployment is not available, the
 * Deployment test fails, or the first one where the suite leaves that out.
 */
export function conformanceProgram(
  view: ClusterView,
  behaviour: ConformanceBehaviour = () => undefined,
): ContainerProgram {
  return {
    name: 'conformance',
    matches: runsConformancePod,
    run: (process) =>
      runsConformance(process.container) ? runTests(process, view, behaviour) : report(process),
  };
}

function runTests(process: ContainerProcess, view: ClusterView, behaviour: ConformanceBehaviour): void {
  const settings = environment(process.container);
  const chosen = selected(settings);
  process.log(
    `Running conformance: focus=${JSON.stringify(settings.focus)} skip=${JSON.stringify(settings.skip)}`,
  );
  process.log(`Will run ${chosen.length} of ${conformanceTests.length} specs`);
  if (settings.dryRun) process.log('dry run: no spec is executed');
  const results: TestResult[] = [];
  const tellsAvailability = chosen.find((test) => DEPLOYMENT_TEST.test(test.name)) ?? chosen[0];
  const step = (index: number): void => {
    const test = chosen[index];
    if (!test) {
      if (!settings.dryRun) results.push(...unknownMarks(view));
      return finish(process, results, chosen, settings.dryRun);
    }
    const time = settings.dryRun ? 0 : seconds(test.seconds / settings.parallel);
    process.after(time, () => {
      const result = settings.dryRun
        ? passed(test)
        : outcomeOf(test, view, behaviour, test === tellsAvailability);
      results.push(result);
      process.log(
        `${result.outcome === 'failed' ? '• [FAILED]' : '•'} [${test.seconds.toFixed(3)} seconds] ${test.name}`,
      );
      process.log(
        `{"msg":"${result.outcome.toUpperCase()} ${escapeJson(test.name)}","completed":${index + 1},"total":${chosen.length},"failed":${results.filter(({ outcome }) => outcome === 'failed').length}}`,
      );
      step(index + 1);
    });
  };
  step(0);
}

const escapeJson = (text: string): string => JSON.stringify(text).slice(1, -1);

function finish(
  process: ContainerProcess,
  run: readonly TestResult[],
  chosen: readonly ConformanceTest[],
  dryRun: boolean,
): void {
  const names = new Set(chosen.map((test) => test.name));
  const skipped = conformanceTests
    .filter((test) => !names.has(test.name))
    .map((test): TestResult => ({ name: test.name, seconds: 0, outcome: 'skipped' }));
  const failures = run.filter((result) => result.outcome === 'failed');
  process.scratch.set(REPORT, junitXml('Kubernetes e2e suite', [...run, ...skipped]));
  process.scratch.set(DONE, '');
  process.log(`Ran ${dryRun ? 0 : run.length} of ${conformanceTests.length} Specs`);
  const verdict = failures.length > 0 ? 'FAIL!' : 'SUCCESS!';
  process.log(
    `${verdict} -- ${run.length - failures.length} Passed | ${failures.length} Failed | 0 Pending | ${skipped.length} Skipped`,
  );
  for (const failure of failures) process.log(`[FAIL] ${failure.name}: ${failure.message}`);
  process.exit(failures.length > 0 ? 1 : 0);
}

/** Waits for the file `done`, then prints the report to its own log. */
function report(process: ContainerProcess): void {
  const look = (): void => {
    if (!process.scratch.has(DONE)) return process.after(POLL, look);
    for (const line of frame(REPORT, process.scratch.get(REPORT) ?? '')) process.log(line);
    process.exit(0);
  };
  look();
}

interface Settings {
  readonly focus: string;
  readonly skip: string;
  readonly dryRun: boolean;
  readonly parallel: number;
}

/** Any non-empty E2E_DRYRUN is a dry run, "false" included, as in the real image. */
function environment(container: Container): Settings {
  const value = (name: string): string =>
    container.env?.find((variable) => variable.name === name)?.value ?? '';
  const parallel = /^[yYtT]/.test(value('E2E_PARALLEL'))
    ? 4
    : Math.max(1, Number(value('E2E_PARALLEL')) || 1);
  return {
    focus: value('E2E_FOCUS') || '\\[Conformance\\]',
    skip: value('E2E_SKIP'),
    dryRun: value('E2E_DRYRUN') !== '',
    parallel,
  };
}

function selected({ focus, skip }: Settings): readonly ConformanceTest[] {
  const wanted = pattern(focus);
  const unwanted = skip ? pattern(skip) : undefined;
  return conformanceTests.filter((test) => wanted?.test(test.name) && !unwanted?.test(test.name));
}

/** RE2 and JavaScript agree on what suites use; an expression that is none matches nothing. */
function pattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}

const passed = (test: ConformanceTest): TestResult => ({
  name: test.name,
  seconds: test.seconds,
  outcome: 'passed',
});

function outcomeOf(
  test: ConformanceTest,
  view: ClusterView,
  behaviour: ConformanceBehaviour,
  tellsAvailability: boolean,
): TestResult {
  const why =
    behaviour(test.name)?.fails ??
    brokenBy(test.name, view) ??
    (tellsAvailability ? unavailable(view) : undefined);
  return why === undefined
    ? passed(test)
    : { name: test.name, seconds: test.seconds, outcome: 'failed', message: why };
}

interface Mark {
  readonly text: string;
  readonly by: string;
}

function marks(view: ClusterView): readonly Mark[] {
  return [...view.all('deployments.apps'), ...view.all('configmaps')].flatMap(({ kind, metadata }) => {
    const text = metadata.annotations?.[BREAKS] ?? metadata.labels?.[BREAKS];
    return text ? [{ text, by: `${kind} ${metadata.namespace}/${metadata.name}` }] : [];
  });
}

/** The mark names a test by its full name or by a part of it. */
function brokenBy(test: string, view: ClusterView): string | undefined {
  const mark = marks(view).find(({ text }) => test.includes(text));
  return mark && `${mark.by} breaks this test`;
}

const unknownMarks = (view: ClusterView): readonly TestResult[] =>
  marks(view)
    .filter(({ text }) => !conformanceTests.some((test) => test.name.includes(text)))
    .map(({ text, by }) => ({
      name: text,
      seconds: 1,
      outcome: 'failed',
      message: `${by} breaks this test`,
    }));

function unavailable(view: ClusterView): string | undefined {
  const broken = view
    .all<Deployment>('deployments.apps')
    .find((one) => conditionOf(one, 'Available')?.status !== 'True');
  return broken && `Deployment ${broken.metadata.namespace}/${broken.metadata.name} is not available`;
}
