import { describe, expect, it } from 'vitest';
import { decodeProtobuf } from './protobuf.js';

const field = (number: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([(number << 3) | 2, body.length]), body]);
};
const text = (number: number, value: string): Buffer => field(number, Buffer.from(value));
const varint = (number: number, value: number): Buffer => Buffer.from([number << 3, value]);
const envelope = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0', 'latin1'),
    field(1, text(1, apiVersion), text(2, kind)),
    field(2, raw),
  ]);

describe('protobuf bodies', () => {
  it('reads what kubectl create secret sends: bytes as base64, empty fields dropped', () => {
    const metadata = field(1, text(1, 's'), text(2, ''), text(3, 'default'), field(8));
    const secret = envelope(
      'v1',
      'Secret',
      Buffer.concat([metadata, field(2, text(1, 'a'), text(2, 'b')), text(3, 'Opaque')]),
    );
    expect(decodeProtobuf(secret)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'default' },
      data: { a: 'Yg==' },
      type: 'Opaque',
    });
  });

  it('keeps a zero that was meant, and reads lists, maps and int-or-string', () => {
    const selector = field(2, field(1, text(1, 'app'), text(2, 'x')));
    const deployment = envelope('apps/v1', 'Deployment', field(2, varint(1, 0), selector, varint(5, 0)));
    expect(decodeProtobuf(deployment)['spec']).toEqual({
      replicas: 0,
      selector: { matchLabels: { app: 'x' } },
    });
    const half = field(2, field(1, varint(1, 1), varint(2, 0), text(3, '50%')));
    expect(decodeProtobuf(envelope('policy/v1', 'PodDisruptionBudget', half))['spec']).toEqual({
      minAvailable: '50%',
    });
  });

  it.each([
    ['a kind without numbers', envelope('v1', 'Node', Buffer.alloc(0)), 415],
    [
      'a field without a number',
      envelope('apps/v1', 'Deployment', field(2, field(3, field(2, text(1, 'x'))))),
      415,
    ],
    ['no envelope', Buffer.from('{}'), 400],
    ['a cut message', envelope('v1', 'ConfigMap', Buffer.from([0x0a, 9])), 400],
  ])('refuses %s', (_what, body, status) => {
    expect(() => decodeProtobuf(body)).toThrow(expect.objectContaining({ status }));
  });
});
