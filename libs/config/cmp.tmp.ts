import { readFileSync } from 'node:fs';
import { parseTemplate } from './src/template/parse.js';
import { executeTemplate } from './src/template/execute.js';
import { toText } from './src/template/bytes.js';
import { decode, ORACLE_FUNCTIONS } from './src/template/oracle.data.js';
const c = JSON.parse(readFileSync(process.argv[2]!, 'utf8'));
const data = Object.fromEntries(Object.entries(c.data).map(([k, v]) => [k, decode(v)]));
let bad = 0, n = 0; const max = Number(process.argv[3] ?? 40);
for (const x of c.cases) { n++;
  let out: string | undefined, err: string | undefined;
  try { const t = parseTemplate('t.yaml', x.template, { functions: ORACLE_FUNCTIONS }); out = executeTemplate(t, data[x.data ?? 'main']!, { functions: ORACLE_FUNCTIONS }); } catch (e) { err = (e as Error).message; if (!/^template: /.test(err)) err = (e as Error).stack; }
  const want = x.error === undefined ? (x.bytes !== undefined ? Buffer.from(x.bytes, 'base64').toString('latin1') : Buffer.from(x.output ?? '').toString('latin1')) : undefined;
  if (want !== out || x.error !== err) { bad++; if (bad <= max) { console.log('----', x.id, JSON.stringify(x.template).slice(0, 600)); console.log(' want', x.error ?? JSON.stringify(want === undefined ? '' : toText(want)).slice(0,700)); console.log(' got ', err ?? JSON.stringify(toText(out!)).slice(0,700)); } }
}
console.log(n, 'cases', bad, 'bad');
