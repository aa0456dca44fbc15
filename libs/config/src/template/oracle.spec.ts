import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decode, ORACLE_FUNCTIONS } from '../testing/oracle-data.js';
import { executeTemplate } from './execute.js';
import { parseTemplate } from './parse.js';

interface OracleCase {
  readonly id: string;
  readonly template: string;
  readonly data?: string;
  readonly output?: string;
  readonly bytes?: string;
  readonly error?: string;
}
interface Corpus {
  readonly go: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly cases: readonly OracleCase[];
}

/** Another corpus, e.g. a larger random one, may be named; see tools/template-oracle/README.md. */
const file =
  process.env['FAIRWAY_TEMPLATE_CORPUS'] ??
  new URL('../../../../tools/template-oracle/corpus.json', import.meta.url);
const corpus = JSON.parse(readFileSync(file, 'utf8')) as Corpus;
const data = new Map(Object.entries(corpus.data).map(([name, value]) => [name, decode(value)]));

function ours(one: OracleCase): { output: string } | { error: string } {
  try {
    const template = parseTemplate('t.yaml', one.template, { functions: ORACLE_FUNCTIONS });
    const value = data.get(one.data ?? 'main');
    if (!value) throw new Error(`no data set ${one.data}`);
    return { output: executeTemplate(template, value, { functions: ORACLE_FUNCTIONS }) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

function wanted(one: OracleCase): { output: string } | { error: string } {
  if (one.error !== undefined) return { error: one.error };
  const bytes = one.bytes === undefined ? Buffer.from(one.output ?? '') : Buffer.from(one.bytes, 'base64');
  return { output: bytes.toString('latin1') };
}

const groups = new Map<string, OracleCase[]>();
for (const one of corpus.cases) {
  const name = one.id.split('/')[0] as string;
  groups.set(name, [...(groups.get(name) ?? []), one]);
}

describe(`as ${corpus.go} does it`, () => {
  it('has a corpus worth the name', () => {
    expect(corpus.cases.length).toBeGreaterThanOrEqual(200);
  });

  it.each([...groups])('%s', (_name, cases) => {
    for (const one of cases) {
      expect({ id: one.id, template: one.template, ...ours(one) }).toEqual({
        id: one.id,
        template: one.template,
        ...wanted(one),
      });
    }
  });
});
