import { noopSuite } from './suites/noop.js';
import { table, compare } from './lib/report.js';
const m = await noopSuite({ say: (t) => console.log(t), calibration: () => 1 });
console.log(table(compare({ at: '', node: '', calibrationMs: 1, metrics: m }, undefined)));
process.exit(0);
