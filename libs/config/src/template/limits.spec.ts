import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TemplateLimits } from './budget.js';
import { LimitError, TemplateError } from './errors.js';
import { executeTemplate } from './execute.js';
import { parseTemplate } from './parse.js';
import { dialectFunctions } from './functions/index.js';
import { fromJson, str } from './values.js';

const functions = dialectFunctions(
  { amiId: () => 'ami-1', instanceType: () => ({ vcpus: 2, memoryBytes: 8 * 2 ** 30 }) },
  () => 'hash',
);
const data = fromJson({ s: 'text', n: 3, list: [1, 'two', null], map: { a: { b: 'c' } }, on: true });

function run(text: string, limits: Partial<TemplateLimits> = {}, checkpoint?: () => void): string {
  return executeTemplate(parseTemplate('x.yaml', text, { functions }), data, {
    functions,
    limits,
    ...(checkpoint && { checkpoint }),
  });
}

function failure(text: string, limits?: Partial<TemplateLimits>, checkpoint?: () => void): TemplateError {
  try {
    run(text, limits, checkpoint);
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('hostile templates end soon, with an error that names the place', () => {
  const hostile: readonly (readonly [string, string, RegExp])[] = [
    ['an endless range', 'a\n{{range 9223372036854775807}}{{end}}', /more than \d+ steps/],
    ['a range in a range', '{{range 100000}}{{range 100000}}x{{end}}{{end}}', /more than \d+ (steps|bytes)/],
    [
      'a template that invokes itself',
      '{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}',
      /template depth/,
    ],
    [
      'templates that invoke each other',
      '{{define "a"}}{{template "b" .}}{{end}}{{define "b"}}{{template "a" .}}{{end}}{{template "a" .}}',
      /template depth/,
    ],
    [
      'an exponential definition',
      Array.from(
        { length: 60 },
        (_, i) => `{{define "t${i}"}}{{template "t${i + 1}"}}{{template "t${i + 1}"}}{{end}}`,
      ).join('') + '{{define "t60"}}x{{end}}{{template "t0"}}',
      /more than \d+ (steps|bytes)/,
    ],
    [
      'a string that doubles',
      `{{$x := "0123456789"}}{{range 60}}{{$x = print $x $x "y"}}{{end}}`,
      /more than \d+ (steps|bytes)/,
    ],
    ['a wide printf', '{{range 1000}}{{printf "%1000000d" 1}}{{end}}', /(more|longer) than \d+ bytes/],
    ['a precise printf', '{{range 1000}}{{printf "%.1000000f" 1.5}}{{end}}', /(more|longer) than \d+ bytes/],
    [
      'a long list',
      '{{indexedList "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa$" 9000000000}}',
      /more than \d+ bytes/,
    ],
    ['a large indentation', '{{indent 1000000000 "a\\nb"}}', /more than \d+ bytes/],
    [
      'a replacement that grows',
      '{{$x := "aaaaaaaa"}}{{range 30}}{{$x = replace "a" "aaaaaaaa" $x}}{{end}}',
      /more than \d+ bytes/,
    ],
    [
      'a join that grows',
      '{{$x := "a"}}{{range 60}}{{$x = join $x (list $x $x)}}{{end}}',
      /more than \d+ (steps|bytes)/,
    ],
    ['100 MB of output', `{{range 200000}}${'x'.repeat(500)}{{end}}`, /output is longer than/],
    [
      'deep data',
      '{{$x := list 1}}{{range 100000}}{{$x = list $x}}{{end}}{{toJson $x}}',
      /nested|steps|large|deep/,
    ],
  ];
  it.each(hostile)(
    '%s',
    (_name, text, reason) => {
      const started = process.cpuUsage();
      const error = failure(text);
      const used = process.cpuUsage(started);
      expect(error.message).toMatch(reason);
      expect(error.place.file).toBe('x.yaml');
      expect(error.place.line).toBeGreaterThan(0);
      expect((used.user + used.system) / 1e6).toBeLessThan(4);
    },
    30_000,
  );

  it.each([
    ['parentheses', `{{${'('.repeat(5000)}1${')'.repeat(5000)}}}`],
    ['blocks', `${'{{if true}}'.repeat(5000)}${'{{end}}'.repeat(5000)}`],
    ['else ifs', `{{if false}}${'{{else if false}}x'.repeat(5000)}{{end}}`],
    ['unclosed blocks', '{{range 3}}'.repeat(50_000)],
  ])('nested %s', (_name, text) => {
    expect(failure(text).message).toMatch(/max expression depth/);
  });

  it('stops where the caller says so, e.g. at a deadline', () => {
    let calls = 0;
    const error = failure('a\n {{range 1000000}}{{end}}', {}, () => {
      calls++;
      if (calls > 3) throw new LimitError('rendering took too long');
    });
    expect(error).toMatchObject({
      kind: 'limit',
      reason: 'rendering took too long',
      place: { file: 'x.yaml', line: 2 },
    });
  });
});

describe('no JavaScript shows through', () => {
  const names = [
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '__defineGetter__',
    'length',
  ];
  it.each(names)('%s is an ordinary, missing name', (name) => {
    for (const receiver of ['', '.s', '.n', '.list', '.map', '.map.a', '.on']) {
      expect(failure(`{{${receiver}.${name}}}`).kind).toBe('exec');
    }
    expect(run(`{{index .map "${name}"}}`)).toBe('<no value>');
    expect(failure(`{{${name}}}`).message).toContain('not defined');
    expect(failure(`{{template "${name}"}}`).message).toContain('not defined');
    expect(failure(`{{$${name}}}`).message).toContain('undefined variable');
  });

  it('makes maps of any key without touching objects', () => {
    expect(
      run(
        '{{$d := dict "__proto__" (dict "polluted" "yes") "constructor" 1}}{{$d.__proto__.polluted}}{{$d.constructor}}',
      ),
    ).toBe('yes1');
    expect(run(`{{(fromYaml "a: {b: 1}").a.b}}`)).toBe('1');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

const runs = Number(process.env['FAIRWAY_FUZZ_RUNS'] ?? 50_000);
/** Vitest's own limit is for a handful of inputs. */
const TIME_LIMIT = 60_000 + runs * 5;
const pieces = [
  '{{',
  '}}',
  '{{-',
  '-}}',
  ' ',
  '\n',
  '.',
  '$',
  '$x',
  ':=',
  '=',
  '|',
  '(',
  ')',
  ',',
  '"a"',
  '`b`',
  "'c'",
  '1',
  '2.5',
  '0x1p-2',
  '1i',
  'if',
  'else',
  'end',
  'range',
  'with',
  'define',
  'template',
  'block',
  'break',
  'continue',
  'nil',
  'true',
  '.s',
  '.list',
  '.map.a',
  '.n',
  'print',
  'printf',
  '"%v %d %*s"',
  'index',
  'slice',
  'len',
  'eq',
  'lt',
  'and',
  'or',
  'not',
  'html',
  'js',
  'urlquery',
  'call',
  'dict',
  'list',
  'split',
  'join',
  'toYaml',
  'fromYaml',
  'toJson',
  'sgIngressRanges',
  'sumQuantities',
  'nthAddressFromCIDR',
  '/*',
  '*/',
  'é',
  '\u0000',
  '"10.0.0.0/8"',
  '"100m"',
  '"80-90"',
  'publicKey',
  'scaleQuantity',
  'base64Decode',
  'extractEndpointHosts',
  'splitHostPort',
  '-1',
  '99999999999',
];

describe('fuzzing', () => {
  const template = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(''));
  const actions = fc
    .array(
      fc
        .array(fc.constantFrom(...pieces.slice(5)), { maxLength: 8 })
        .map((parts) => `{{${parts.join(' ')}}}`),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('x'));
  const limits = { steps: 20_000, outputBytes: 100_000, allocatedBytes: 1_000_000 };

  it(
    'any text renders or fails as a template, and always alike',
    () => {
      fc.assert(
        fc.property(fc.oneof(template, actions, fc.string({ unit: 'binary' })), (text) => {
          const once = outcome(text, limits);
          expect(outcome(text, limits)).toBe(once);
        }),
        { numRuns: runs, seed: 20261121 },
      );
    },
    TIME_LIMIT,
  );
});

/** The output, or the message; anything that is no TemplateError is a bug. */
function outcome(text: string, limits: Partial<TemplateLimits>): string {
  try {
    return `ok ${run(text, limits)}`;
  } catch (error) {
    if (!(error instanceof TemplateError))
      throw new Error(`${JSON.stringify(text)} broke the engine`, { cause: error });
    expect(error.place.line).toBeGreaterThan(0);
    return `error ${error.message}`;
  }
}

describe('properties', () => {
  it('text without actions is itself', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => !text.includes('{{')),
        (text) => {
          const template = parseTemplate('x.yaml', text);
          expect(Buffer.from(executeTemplate(template, str('')), 'latin1').toString()).toBe(
            Buffer.from(text).toString(),
          );
        },
      ),
      { seed: 1 },
    );
  });

  it('a quoted string is its value, and its length is that of its bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const value = str(text);
        const out = executeTemplate(parseTemplate('x.yaml', '{{printf "%s" .}}|{{len .}}'), value);
        expect(out).toBe(`${Buffer.from(text).toString('latin1')}|${Buffer.byteLength(text)}`);
      }),
      { seed: 2 },
    );
  });

  it('fromYaml undoes toYaml, and fromYaml undoes toJson', () => {
    const json = fc
      .jsonValue({ maxDepth: 3 })
      .filter(
        (value) =>
          typeof value === 'object' && value !== null && !JSON.stringify(value).includes('__proto__'),
      );
    fc.assert(
      fc.property(json, (value) => {
        const template = parseTemplate(
          'x.yaml',
          '{{toJson (fromYaml (toYaml .))}}\n{{toJson (fromYaml (toJson .))}}\n{{toJson .}}',
          { functions },
        );
        const [viaYaml, viaJson, direct] = executeTemplate(template, fromJson(value), { functions }).split(
          '\n',
        );
        expect(viaYaml).toBe(direct);
        expect(viaJson).toBe(direct);
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});
