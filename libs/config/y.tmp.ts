import { readFileSync } from 'node:fs'; import { execSync } from 'node:child_process';
import { parseAllDocuments, LineCounter } from 'yaml';
const files = execSync('find /tmp/cfgwork/koa -name "*crd*.yaml"').toString().trim().split('\n');
let bytes = 0; const texts = files.map((f) => readFileSync(f, 'utf8')); for (const t of texts) bytes += t.length;
for (let i = 0; i < 6; i++) { const u0 = process.cpuUsage(); for (const t of texts) { const d = parseAllDocuments(t, { prettyErrors: false, lineCounter: new LineCounter() }); for (const x of d as any) x.toJS(); } const u = process.cpuUsage(u0); console.log(bytes, (u.user+u.system)/1000); }
