import { join } from 'node:path';
import { evidenceLines } from '#simulation';
import { FleetClient } from '../fleet-client.js';
import { accountRecords, clusterRecords } from '../fleet-records.js';
import type { Sandbox } from '../sandbox.js';
import { ConfigClone } from './config-clone.js';
import { FleetView, snapshot } from './fleet-view.js';
import { allReady, follow } from './follow.js';

const MINUTE = 60_000;

/** Plays the whole story once. Returns false when the estate's own records speak against it. */
export async function playDemo(sandbox: Sandbox): Promise<boolean> {
  const client = new FleetClient(sandbox.apiUrl, sandbox.token);
  const view = new FleetView();
  await registerFleet(sandbox, client, view);
  await follow(client, view, 'the creation of five clusters', 5 * MINUTE, allReady());
  view.line('five clusters are ready: 3 masters and 4 workers each');
  sandbox.estate.evidence();

  const clone = await ConfigClone.of(sandbox.repositoryUrl, join(sandbox.stateDir, 'clone'), 'dev');
  const good = await pushGoodChange(clone);
  view.line(`pushed ${good.slice(0, 10)} to dev: a new node image and a changed manifest`);
  await follow(client, view, 'the journey of the change to stable', 10 * MINUTE, allReady(good));
  view.line(`${good.slice(0, 10)} runs in dev, alpha, beta and stable`);
  const clean = tellEvidence(sandbox, view);

  const bad = await pushBadChange(clone);
  view.line(`pushed ${bad.slice(0, 10)} to dev: the conformance tests will not like it`);
  const stopped = await follow(client, view, 'the red conformance run', 5 * MINUTE, ({ channels }) =>
    channels.some(({ name, head }) => name === 'dev' && head?.commit === bad && head.phase === 'failed'),
  );
  for (const { gate, message } of stopped.channels.find(({ name }) => name === 'dev')?.head?.why_not_yet ??
    []) {
    view.line(`dev: ${gate}: ${message}`);
  }
  return (await alphaStayed(sandbox, client, view, good)) && clean;
}

async function registerFleet(sandbox: Sandbox, client: FleetClient, view: FleetView): Promise<void> {
  for (const account of accountRecords()) await client.post('/infrastructure-accounts', account);
  for (const record of clusterRecords((id) => sandbox.endpoints.serverOf(id), sandbox.endpoints.etcdUrl)) {
    await client.post('/kubernetes-clusters', record);
    view.line(`registered ${record.alias} in ${record.channel}`);
  }
}

async function pushGoodChange(clone: ConfigClone): Promise<string> {
  await clone.edit('cluster/config-defaults.yaml', (text) =>
    text.replace('fairway-node-1.31.4-20251103', 'fairway-node-1.31.4-20251117'),
  );
  await clone.edit('cluster/config-defaults.yaml', (text) =>
    text.replace('ingress_log_level: "info"', 'ingress_log_level: "warn"'),
  );
  return clone.push('Node image of November 17th; a quieter ingress', 'dev');
}

async function pushBadChange(clone: ConfigClone): Promise<string> {
  await clone.edit('cluster/manifests/ingress/configmap.yaml', (text) =>
    text.replace(
      /^metadata:\n/m,
      'metadata:\n  annotations:\n    sim.fairway.dev/breaks-conformance: "[sig-network] Services should serve a basic endpoint from pods [Conformance]"\n',
    ),
  );
  return clone.push('A change that breaks the service network', 'dev');
}

/** What the estate saw, independently of what Fairway says it did. */
function tellEvidence(sandbox: Sandbox, view: FleetView): boolean {
  const report = sandbox.estate.evidence();
  view.line('what the estate recorded during the rolls:');
  for (const line of evidenceLines(report)) view.line(`  ${line}`);
  const atMostOne = report.clusters.every((cluster) => cluster.pools.every((pool) => pool.maxAway <= 1));
  view.line(
    atMostOne ? 'never were two nodes of a pool away at once' : 'TWO NODES OF A POOL WERE AWAY AT ONCE',
  );
  view.line(
    report.clean
      ? 'no budget was breached, no instance was terminated twice'
      : 'THE RECORDS SPEAK AGAINST THE ROLLS',
  );
  return report.clean && atMostOne;
}

async function alphaStayed(
  sandbox: Sandbox,
  client: FleetClient,
  view: FleetView,
  good: string,
): Promise<boolean> {
  const heads = await sandbox.git.heads('config');
  const { clusters } = await snapshot(client);
  const others = clusters.filter(({ channel }) => channel !== 'dev');
  const stayed = heads.get('alpha') === good && others.every((row) => row.current_version === good);
  view.line(
    stayed
      ? 'alpha never got it: its branch and the other four clusters are where they were'
      : 'THE BAD CHANGE GOT OUT OF DEV',
  );
  return stayed;
}
