import { readdirSync, readFileSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { join, relative, dirname } from 'node:path';
import { renderFiles, renderCluster, createRenderCache, lookupsOf, explain } from '#config';
import { digestOf } from '#kernel';
const dir = '/tmp/cfgwork/koa';
const files = new Map<string, string>();
const walk = (d: string) => { for (const e of readdirSync(d)) { if (e === '.git') continue; const p = join(d, e); if (statSync(p).isDirectory()) walk(p); else files.set(relative(dir, p), readFileSync(p, 'utf8')); } };
walk(dir);
const items: Record<string, string> = { service_account_private_key: readFileSync('/tmp/cfgwork/key.pem').toString('base64'), etcd_client_ca_cert: readFileSync('/tmp/cfgwork/cert.pem').toString('base64'), etcd_client_server_cert: readFileSync('/tmp/cfgwork/cert.pem').toString('base64') };
const it = (v: number, m: number, s = 0) => ({ vcpus: v, memoryBytes: m * 2**30, architecture: 'amd64', storageBytes: s });
const mk = () => { const cluster: any = { id: 'aws:123456789012:eu-central-1:kube-1', alias: 'kube-1', infrastructureAccount: 'aws:123456789012', region: 'eu-central-1', localId: 'kube-1', provider: 'zalando-aws', apiServerUrl: 'https://kube-1.foo.example.org', channel: 'dev', environment: process.argv[2] ?? 'production', criticalityLevel: 2, lifecycleStatus: 'ready', configItems: { ...items }, createdAt: 0, recordVersion: 1,
 nodePools: [{ name: 'master-default', profile: 'master-default', instanceTypes: ['m5.large'], discountStrategy: 'none', minSize: 3, maxSize: 3, configItems: {} }, { name: 'w1', profile: 'worker-splitaz', instanceTypes: ['m5.large', 'm5.xlarge'], discountStrategy: 'spot', minSize: 3, maxSize: 6, configItems: {taints: 'dedicated=x:NoSchedule', labels: 'dedicated=x'} },
 { name: 'w2', profile: 'worker-combined', instanceTypes: ['m5.large'], discountStrategy: 'none', minSize: 3, maxSize: 6, configItems: {} },{ name: 'k1', profile: 'worker-karpenter', instanceTypes: ['default-for-karpenter'], discountStrategy: 'spot', minSize: 0, maxSize: 0, configItems: {requirements: '- key: a\n  operator: In\n  values: ["1"]\n'} }] };
const tree = { commit: 'c1', treeDigest: digestOf('t'), files };
const w = lookupsOf(tree, cluster);
const inputs: any = { digest: digestOf('x'), vpcId: 'vpc-1', vpcIpv4Cidr: '172.31.0.0/16', availabilityZones: ['eu-central-1a','eu-central-1b','eu-central-1c'], subnets: {'eu-central-1a':'subnet-a','eu-central-1b':'subnet-b','eu-central-1c':'subnet-c','*':'subnet-a,subnet-b,subnet-c'}, loadBalancerSubnets: {'eu-central-1a':'lb-a','eu-central-1b':'lb-b','*':'lb-a,lb-b'}, images: Object.fromEntries(w.images.map((i) => [`${i.name}|${i.owner}`, 'ami-1'])), instanceTypes: Object.fromEntries([...w.instanceTypes, 'm5.xlarge'].map((t) => [t, it(2, 8)])), decrypted: {}, etcdKmsKeyArn: 'arn:aws:kms:x' };
return { w, input: { tree, cluster, inputs } as any }; };
for (let round = 0; round < 40; round++) {
  const { input, w } = mk();
  const r = renderCluster(input, undefined, { duplicateKeys: 'warning' });
  if (r.ok) { writeFileSync('/tmp/cfgwork/rendered.json', JSON.stringify(renderFiles(input, { duplicateKeys: 'warning' }).files.map((f: any) => [f.path, f.text]))); console.log('round', round, Object.keys(items).length, 'made-up', w); console.log(r.value.components.length, r.value.components.flatMap((c) => c.objects).length, r.value.nodePools.map((p) => [p.name, p.userData.length, p.stack.body.length]), r.value.warnings); 
    for (let i = 0; i < Number(process.env.N ?? 5); i++) { const cache = createRenderCache(); const u0 = process.cpuUsage(); const t0 = performance.now(); renderCluster(input, cache, { duplicateKeys: 'warning' }); const t1 = performance.now(); const u1 = process.cpuUsage(u0); console.log('cpu', (u1.user + u1.system) / 1000); renderCluster({...input, tree: {...input.tree, commit: 'x'}}, cache, { duplicateKeys: 'warning' }); const t2=performance.now(); console.log('cold', (t1-t0).toFixed(0), 'components cached', (t2-t1).toFixed(0)); }
    break; }
  let n = 0;
  for (const p of r.error) { const m = /no entry for key "([^"]+)"/.exec(p.message); if (m && !(m[1]! in items)) { items[m[1]!] = process.env.V?.split(',').find((x) => x.startsWith(m[1]! + '='))?.split('=')[1] ?? (/_(cert|key|crt)$|ca_cert/.test(m[1]!) ? Buffer.from('x').toString('base64') : /endpoint/.test(m[1]!) ? 'http://a:1' : 'x'); n++; } }
  if (n === 0) { for (const p of r.error) console.log(`${p.file}:${p.line}:${p.column} ${p.code} ${p.message}`); break; }
}
