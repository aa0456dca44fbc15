import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { renderCluster, createRenderCache } from '#config';
import { digestOf } from '#kernel';
const dir = process.argv[2]!;
const files = new Map<string, string>();
const walk = (d: string) => { for (const e of readdirSync(d)) { if (e === '.git') continue; const p = join(d, e); if (statSync(p).isDirectory()) walk(p); else files.set(relative(dir, p), readFileSync(p, 'utf8')); } };
walk(dir);
const cluster: any = { id: 'aws:123456789012:eu-central-1:kube-1', alias: 'kube-1', infrastructureAccount: 'aws:123456789012', region: 'eu-central-1', localId: 'kube-1', provider: 'zalando-aws', apiServerUrl: 'https://kube-1.example.org', channel: 'dev', environment: 'test', criticalityLevel: 1, lifecycleStatus: 'ready', configItems: {}, createdAt: 0, recordVersion: 1,
 nodePools: [{ name: 'master-default', profile: process.argv[3] ?? 'master-default', instanceTypes: ['m5.large'], discountStrategy: 'none', minSize: 3, maxSize: 3, configItems: {} }, { name: 'worker-default', profile: process.argv[4] ?? 'worker-default', instanceTypes: ['m5.large', 'm5.xlarge'], discountStrategy: 'spot', minSize: 3, maxSize: 6, configItems: {taints: 'dedicated=x:NoSchedule', labels: 'dedicated=x'} }] };
const it = (v: number, m: number) => ({ vcpus: v, memoryBytes: m * 2**30, architecture: 'amd64', storageBytes: 0 });
const inputs: any = { digest: digestOf('x'), vpcId: 'vpc-1', vpcIpv4Cidr: '172.31.0.0/16', availabilityZones: ['eu-central-1a','eu-central-1b','eu-central-1c'], subnets: {'eu-central-1a':'subnet-a','eu-central-1b':'subnet-b','eu-central-1c':'subnet-c','*':'subnet-a,subnet-b,subnet-c'}, loadBalancerSubnets: {'eu-central-1a':'lb-a','eu-central-1b':'lb-b','*':'lb-a,lb-b'}, images: {'fairway-node-1.31.4-20251103|861068367966': 'ami-1'}, instanceTypes: {'m5.large': it(2,8), 'm5.xlarge': it(4,16), 'c5.xlarge': it(4,8), 't3.medium': it(2,4)}, decrypted: {} };
const input = { tree: { commit: 'c1', treeDigest: digestOf('t'), files }, cluster, inputs };
for (let i = 0; i < 4; i++) {
const cache = createRenderCache();
const t0 = performance.now();
const r = renderCluster(input as any, cache);
const t1 = performance.now();
if (i === 0) { if (!r.ok) { for (const p of r.error) console.log(`${p.file}:${p.line}:${p.column} ${p.code} ${p.message} ${p.hint ?? ''}`); } else { console.log(r.value.components.map((c) => `${c.name}(${c.objects.length})`).join(' ')); console.log(r.value.nodePools.map((p) => p.stack.name), r.value.warnings); if (process.argv[5]) console.log(r.value.nodePools[1]!.stack.body, r.value.nodePools[0]!.stack.body.slice(0, 3000)); } }
const t2 = performance.now(); renderCluster(input as any, cache);
console.log('cold', (t1 - t0).toFixed(1), 'cached', (performance.now() - t2).toFixed(2), files.size);
}
