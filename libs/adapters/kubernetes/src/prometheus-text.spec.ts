import { expect, it } from 'vitest';
import { samplesOf } from './prometheus-text.js';

const TEXT = `# HELP apiserver_requested_deprecated_apis [STABLE] Gauge of deprecated APIs
# TYPE apiserver_requested_deprecated_apis gauge
apiserver_requested_deprecated_apis{group="policy",removed_release="1.25",resource="poddisruptionbudgets",subresource="",version="v1beta1"} 1
apiserver_requested_deprecated_apis_total{group="x"} 1
odd{path="a \\"b\\" \\\\ {c}",line="one\\ntwo"} 1.5e3 1700000000
up 0
`;

it('takes the samples that are asked for, with their labels', () => {
  expect(samplesOf(TEXT, ['apiserver_requested_deprecated_apis'])).toEqual([
    {
      name: 'apiserver_requested_deprecated_apis',
      labels: {
        group: 'policy',
        removed_release: '1.25',
        resource: 'poddisruptionbudgets',
        subresource: '',
        version: 'v1beta1',
      },
      value: 1,
    },
  ]);
  expect(samplesOf(TEXT, ['odd', 'up'])).toEqual([
    { name: 'odd', labels: { path: 'a "b" \\ {c}', line: 'one\ntwo' }, value: 1500 },
    { name: 'up', labels: {}, value: 0 },
  ]);
  expect(samplesOf('', ['up'])).toEqual([]);
});
