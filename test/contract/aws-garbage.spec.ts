import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAwsAccess } from '#adapters/aws';
import { FailureError } from '#kernel';
import type { AwsPort } from '#ports';

const ACCOUNT = '123456789012';
const PAGE = '<html><head><title>Sign in</title></head><body/></html>';
const OTHER = '<DescribeTagsResponse><DescribeTagsResult><Tags/></DescribeTagsResult></DescribeTagsResponse>';

let server: Server;
let access: ReturnType<typeof createAwsAccess>;
let port: AwsPort;
// What a connection asks first.
let answer = `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>${ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'Content-Type': 'text/xml' }).end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  access = createAwsAccess({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentialsFor: () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'secret' }),
    clock: { now: () => Date.now() },
    maxAttempts: 1,
    requestsPerSecond: 1000,
  });
  port = await access.connect(ACCOUNT, 'eu-central-1');
});
afterAll(async () => {
  access.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const failureOf = (work: Promise<unknown>) =>
  work.then(
    (value) => ({ value }),
    (thrown: unknown) => (thrown instanceof FailureError ? thrown.failure : thrown),
  );

it.each([
  ['a page of a proxy', PAGE],
  ['the answer to another question', OTHER],
])('%s with 200 is nothing that AWS said: no account, no stack that is gone', async (_name, text) => {
  answer = text;
  const unreadable = { class: 'transient', code: 'aws-answer-unreadable' };
  expect(await failureOf(port.callerAccount())).toMatchObject(unreadable);
  expect(await failureOf(port.describeStack('kube-1'))).toMatchObject(unreadable);
  expect(await failureOf(port.listClusterStacks('aws:1:r:kube-1'))).toMatchObject(unreadable);
});
