import { request } from 'node:https';
import { afterEach, describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import { VirtualScheduler } from '../time/virtual-scheduler.js';
import { createEstate, type Estate } from './estate.js';
import type { EstateEndpoints } from './estate-wires.js';
import { sampleMachine, template } from './test-bench.js';

interface Answer {
  readonly status: number;
  readonly body: string;
}

let estate: Estate | undefined;
afterEach(async () => estate?.close());

const call = (
  ends: EstateEndpoints,
  cluster: string,
  path: string,
  method = 'GET',
  body?: unknown,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${ends.tokenFor(cluster)}`, 'content-type': 'application/json' };
    const sent = request(
      `${ends.serverOf(cluster)}${path}`,
      { ca: ends.caPem, headers, method, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });

describe('the estate over the wire', () => {
  it('answers 503 until a master serves, then evicts and logs by the rules, and keeps the evidence', async () => {
    const scheduler = new VirtualScheduler();
    estate = createEstate({ seed: 1, scheduler, accounts: [{ id: '123456789012' }] });
    const ends = await estate.start();
    expect(await estate.start()).toBe(ends);
    expect((await call(ends, 'test', '/version')).status).toBe(503);
    const cluster = estate.cluster('test');
    const master = { 'kubernetes.io/cluster/test': 'owned', 'kubernetes.io/node-pool': 'master-a' };
    cluster.fleet.booted(sampleMachine(1, { tags: master }));
    cluster.fleet.booted(sampleMachine(2));
    scheduler.advance(minutes(2));
    expect(JSON.parse((await call(ends, 'test', '/version')).body)).toMatchObject({ gitVersion: 'v1.31.4' });
    const metadata = { name: 'web', namespace: 'default' };
    const selector = { matchLabels: { app: 'web' } };
    await call(ends, 'test', '/apis/apps/v1/namespaces/default/deployments', 'POST', {
      metadata,
      spec: { selector, template: template('web') },
    });
    await call(ends, 'test', '/apis/policy/v1/namespaces/default/poddisruptionbudgets', 'POST', {
      metadata,
      spec: { selector, maxUnavailable: 0 },
    });
    scheduler.advance(minutes(2));
    const name = cluster.view.inNamespace('pods', 'default')[0]?.metadata.name as string;
    const pod = `/api/v1/namespaces/default/pods/${name}`;
    expect((await call(ends, 'test', `${pod}/log`)).body).toBe('main: started registry.example.org/web:1\n');
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } };
    const refused = await call(ends, 'test', `${pod}/eviction`, 'POST', eviction);
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.body)).toMatchObject({
      reason: 'TooManyRequests',
      details: {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: 'The disruption budget web needs 1 healthy pods and has 1 currently',
          },
        ],
      },
    });
    await call(ends, 'test', pod, 'DELETE');
    const report = estate.evidence();
    expect(report.clusters[0]?.protectedDeletes).toEqual([
      `pod default/${name}, protected by default/web, deleted by fairway-admin`,
    ]);
    expect(report.clean).toBe(false);
  });
});
