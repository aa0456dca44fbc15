const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

/** Puts keys of random bytes by the gateway, a few at a time. */
export async function putKeys(
  endpoint: string,
  count: number,
  valueBytes: number,
  prefix = 'key',
): Promise<void> {
  const { randomBytes } = await import('node:crypto');
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < count) {
      const key = `/registry/${prefix}/${String((next += 1)).padStart(6, '0')}`;
      const body = JSON.stringify({ key: base64(key), value: base64(randomBytes(valueBytes)) });
      const answer = await fetch(`${endpoint}/v3/kv/put`, { method: 'POST', body });
      if (!answer.ok) throw new Error(`etcd refused a key: ${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 8 }, writer));
}
