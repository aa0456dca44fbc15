import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import type { Document, ScalarTag, Tags } from 'yaml';
import { fixtureTree } from '../testing/fixture-repo.js';
import { readSimpleYaml } from './fast-reader.js';

const octal: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^0[0-7]+$/,
  resolve: (text) => Number.parseInt(text, 8),
};

/** The full reader's documents, or undefined where it refuses. */
function full(text: string): readonly unknown[] | undefined {
  const parsed = parseAllDocuments(text, {
    merge: true,
    logLevel: 'silent',
    customTags: (tags: Tags): Tags => [octal, ...tags],
  });
  const documents: readonly Document.Parsed[] = Array.isArray(parsed) ? parsed : [];
  if (documents.some(({ errors }) => errors.length > 0)) return undefined;
  try {
    return documents.map((document) => document.toJS() as unknown).filter((value) => value !== null);
  } catch {
    return undefined;
  }
}

/** Whether the fast reader answered; its answer must be the full reader's. */
function agrees(text: string): boolean {
  const simple = readSimpleYaml(text);
  if (simple) expect({ text, value: simple.map(({ value }) => value) }).toEqual({ text, value: full(text) });
  return simple !== undefined;
}

const runs = Number(process.env['FAIRWAY_FUZZ_RUNS'] ?? 50_000) / 10;

describe('the fast YAML reader', () => {
  it.each([
    "a: 1\nb: \"x\"\nc: 'it''s'\n",
    'a:\n- 1\n- b: 2\n  c: 3\n-\n  d: 4\n- - x\n  - y\n',
    'a:\n  - x\n\n  # note\n  - y # why\nb: {c: d, "e": [1, \'f\', {}], g: http://x:80/y}\n',
    'a: |\n  one\n   two\n\n  three\nb: >-\n  folded\n  text\n\n  more\nc: |-\n  x\nd: |+\n  keep\n\ne: 1\n',
    'a: plain that\n  goes on\n\n  and on\nb: "quoted\n  too"\nc: \'single\n\n  as well\'\n',
    'x: 0644\ny: 1e3x\nz: 1.10\nn: ~\nt: True\nf: no\nv: v1.2.3\nd: 2026-01-01\nq: a:b\nr: -1\ns: --flag=x\n',
    '# only\n---\n# comments\n---\na: 1\n---\n---\nb: 2\n',
    'a b: c\n"k: 1": v\n\'s\' : w\nsystem:node: x\n/path/*: y\n',
    'key:\n  "x": {}\n  y: []\n  z:\n',
  ])('reads %j', (text) => {
    expect(agrees(text)).toBe(true);
  });

  it.each([
    'a: &x 1\nb: *x\n',
    '<<: {a: 1}\n',
    'a: !Ref b\n',
    '? a\n: b\n',
    'a: 1\na: 2\n',
    '__proto__: 1\n',
    'a:\n\t- b\n',
    'a: {b: 1,\n  c: 2}\n',
    'a: b: c\n',
    'a: "unclosed\n',
    'a: [1, 2\n',
    '- a\nb: c\n',
    'a: 1\n b: 2\n',
    '%YAML 1.2\n---\na: 1\n',
    '...\n',
    'a: @x\n',
    'a: .inf\n',
    'a: 0x1f\n',
    'a: 123456789012345678901\n',
    '--- a\n',
    'plain\n',
    '"a"\n',
    'a: |2\n   x\n',
    'a: "x\\\n  y"\n',
    '\ufeffa: 1\n',
    'a: \u0001\n',
  ])('leaves %j to the full reader', (text) => {
    expect(readSimpleYaml(text)).toBeUndefined();
  });

  it('tells where documents and their keys begin', () => {
    const [first, second] = readSimpleYaml('# c\n\na: 1\nb:\n  c: 2\n---\nd: 3\n') ?? [];
    expect([first?.line, first?.keyLines.get('b'), second?.line, second?.keyLines.get('d')]).toEqual([
      3, 4, 7, 7,
    ]);
  });

  it(
    'reads what others write',
    () => {
      const text = fc.oneof(
        fc.string(),
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom(
          'a: b',
          '- x',
          ' y ',
          'x\ny\n\nz\n',
          '0644',
          'true',
          '#',
          'a #b',
          '---',
          '|',
          "it's",
          '"q"',
          'a\\b',
          '~',
        ),
      );
      const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
        node: fc.oneof(
          { maxDepth: 4 },
          text,
          fc.integer(),
          fc.boolean(),
          fc.constant(null),
          fc.array(tie('node'), { maxLength: 4 }),
          fc.dictionary(text, tie('node'), { maxKeys: 4 }),
        ),
      })).node;
      const options = fc.record({
        indentSeq: fc.boolean(),
        lineWidth: fc.constantFrom(0, 20, 80),
        singleQuote: fc.constantFrom(true, false, null),
        indent: fc.constantFrom(2, 4),
      });
      fc.assert(
        fc.property(fc.dictionary(text, value, { minKeys: 1, maxKeys: 5 }), options, (data, how) => {
          agrees(stringify(data, how));
        }),
        { numRuns: runs, seed: 11 },
      );
    },
    60_000 + runs * 10,
  );

  it(
    'agrees on damaged manifests, or leaves them alone',
    () => {
      const sources = [...fixtureTree().files]
        .filter(([path]) => path.endsWith('.yaml'))
        .map(([, text]) => text.replaceAll(/\{\{.*?\}\}/g, 'x').split('\n'));
      const piece = fc.constantFrom(
        ' ',
        '  ',
        '- ',
        ': ',
        ':',
        '#',
        ' #',
        '"',
        "'",
        '{',
        '}',
        '[',
        ']',
        ',',
        '|',
        '>',
        '&a',
        '*a',
        '!x',
        '\n',
        '---',
        '0',
        '-',
        '?',
        '\\',
        'é',
        '\t',
        '%',
        '...',
      );
      const damage = fc.record({
        kind: fc.constantFrom('insert', 'cut', 'indent', 'drop', 'repeat'),
        line: fc.nat(60),
        column: fc.nat(40),
        piece,
      });
      fc.assert(
        fc.property(
          fc.constantFrom(...sources),
          fc.array(damage, { minLength: 1, maxLength: 4 }),
          (source, damages) => {
            const lines = [...source];
            for (const { kind, line, column, piece: text } of damages) {
              const at = line % lines.length;
              const old = lines[at] ?? '';
              const col = column % (old.length + 1);
              if (kind === 'insert') lines[at] = old.slice(0, col) + text + old.slice(col);
              if (kind === 'cut') lines[at] = old.slice(0, col) + old.slice(col + 2);
              if (kind === 'indent') lines[at] = col % 2 ? ` ${old}` : old.replace(/^ /, '');
              if (kind === 'drop') lines.splice(at, 1);
              if (kind === 'repeat') lines.splice(at, 0, old);
              if (lines.length === 0) lines.push('');
            }
            agrees(lines.join('\n'));
          },
        ),
        { numRuns: runs * 2, seed: 12 },
      );
    },
    60_000 + runs * 10,
  );
});
