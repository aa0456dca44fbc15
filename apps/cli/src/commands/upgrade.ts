import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { print, table } from '../output.js';
import { wrap } from '../wrap.js';
import { findingText } from './doctor.js';
import { inspect, type InspectOptions } from './inspect.js';
import type { UpgradePlanAnswer } from './inspection-answers.js';
import { formatOf } from './session.js';

const FROM: Readonly<Record<string, string>> = {
  asked: 'as you asked',
  configuration: 'as its configuration says',
  'next-minor': 'the newest that is legal next',
};

/** `fairway upgrade plan kube-1`: exit code 3 with steps to take, 4 when something forbids them, 1 when nothing is known. */
export function addUpgrade(program: Command): void {
  program
    .command('upgrade')
    .description('versions of Kubernetes')
    .command('plan <cluster>')
    .description('the legal way to a version: components, steps, what goes away, what blocks')
    .option('--to <version>', 'where to, for example 1.33 (default: the configuration, or the next minor)')
    .option('--last', 'the newest plan instead of a new one')
    .option('--wait <seconds>', 'how long to wait for a worker', '120')
    .action(async (name: string, options: InspectOptions & { to?: string }, command: Command) => {
      const body = options.to === undefined ? {} : { to: options.to };
      const plan = await inspect<UpgradePlanAnswer>(name, 'upgrade-plan', body, options);
      print(formatOf(command), plan, () => upgradeText(name, plan));
      process.exitCode = exitCodeOf(plan);
    });
}

function exitCodeOf(plan: UpgradePlanAnswer): number {
  if (plan.violations.length > 0 || plan.blockers.length > 0) return EXIT.blocked;
  if (plan.api_servers.length === 0) return EXIT.error;
  return plan.steps.length > 0 ? EXIT.changesPending : EXIT.ok;
}

export function upgradeText(name: string, plan: UpgradePlanAnswer): string {
  const running = plan.api_servers.length > 0 ? plan.api_servers.join(' and ') : 'an unknown version';
  const blocks = [
    [wrap(`${name} runs ${running}; target ${plan.target}, ${FROM[plan.target_from] ?? plan.target_from}`)],
    plan.components.length > 0 ? [componentTable(plan)] : [],
    stepLines(plan),
    section(
      'Forbidden by the version skew policy',
      plan.violations.map(({ rule, message, remedy }) => `${rule}: ${message}. ${remedy}`),
    ),
    section(`APIs in use that ${plan.target} no longer serves`, plan.removed_apis.map(apiLine)),
    section('To be done by hand', plan.by_hand),
    plan.blockers.length > 0 ? ['It is blocked by', ...plan.blockers.map(findingText)] : [],
    section('Not known, and so not planned for', plan.unknown),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => wrap(line, '  - '))];

/** A component of several versions takes several lines, so that the table stays narrow. */
function componentTable({ components }: UpgradePlanAnswer): string {
  const rows = components.flatMap(({ component, current, target, by_hand }) =>
    current.map((version, index) =>
      index === 0
        ? [component, version, target, by_hand === undefined ? '' : 'by hand']
        : ['', version, '', ''],
    ),
  );
  return table(['COMPONENT', 'CURRENT', 'TARGET', ''], rows);
}

function stepLines({
  steps,
  worker_rolls: rolls,
  no_return_already: already,
  api_servers,
}: UpgradePlanAnswer): readonly string[] {
  if (steps.length === 0) return api_servers.length > 0 ? ['No step is needed.'] : [];
  const first = steps.findIndex((step) => step.point_of_no_return);
  const lines = steps.flatMap((step, index) => [
    wrap(
      `${step.kind === 'workers' ? 'workers' : 'control plane'} ${step.from.join(', ')} → ${step.to}${index === first && !already ? ' (point of no return)' : ''}`,
      `  ${index + 1}. `,
    ),
    ...step.proof.map((line) => wrap(line, '     · ')),
  ]);
  const back = already
    ? 'API servers of two minors run already: there is no way back but a backup.'
    : first < 0
      ? 'Every step can be taken back.'
      : `From step ${first + 1} on the only way back is a backup.`;
  const count = `Steps (workers are rolled ${rolls === 1 ? 'once' : `${rolls} times`}):`;
  return [count, ...lines, wrap(back, '  ')];
}

const apiLine = (use: UpgradePlanAnswer['removed_apis'][number]): string =>
  `${use.what} as ${use.api_version}${use.manager === undefined ? '' : ` by ${use.manager}`}: gone in ${use.removed_in}${use.replacement === undefined ? '' : `, use ${use.replacement}`}${use.source === 'requests' ? ' (counted by the API server)' : ''}`;
