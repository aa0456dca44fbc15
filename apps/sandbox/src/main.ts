import { fileURLToPath } from 'node:url';
import { onShutdown } from '#platform';
import { ACCOUNTS, accountRecords } from './fleet-records.js';
import { FleetClient } from './fleet-client.js';
import { startSandbox } from './sandbox.js';

const speedAt = process.argv.indexOf('--speed');
const speed = speedAt > 0 ? Number(process.argv[speedAt + 1]) : 60;
if (!(speed >= 1)) {
  process.stderr.write('--speed wants a number of at least 1\n');
  process.exit(2);
}

process.stdout.write('Starting PostgreSQL, Git, the simulated estate, the API and a worker …\n');
const sandbox = await startSandbox({
  speed,
  seed: 1,
  logLevel: 'warn',
  configDir: fileURLToPath(new URL('../../../test/fixtures/config-repo', import.meta.url)),
  policyFile: fileURLToPath(new URL('../policy/fairway.yaml', import.meta.url)),
  accounts: ACCOUNTS,
});
onShutdown(() => sandbox.close());
const client = new FleetClient(sandbox.apiUrl, sandbox.token);
for (const account of accountRecords()) await client.post('/infrastructure-accounts', account);

const example = 'aws:111111111111:eu-central-1:kube-1';
process.stdout.write(`
Fairway is running; everything is gone when it stops (Ctrl-C).

  API          ${sandbox.apiUrl}
  token        ${sandbox.token}
  Git remote   ${sandbox.repositoryUrl}      (branches dev, alpha, beta, stable)
  AWS          ${sandbox.endpoints.awsUrl}      (simulated; accounts ${ACCOUNTS.join(', ')}, ×${speed})
  API servers  ${sandbox.endpoints.serverOf(example).replace(example, '<cluster id>')}
  kubeconfigs  ${sandbox.credentialsDir}/<alias>.kubeconfig

In another shell:

  export FAIRWAY_URL=${sandbox.apiUrl} FAIRWAY_TOKEN=${sandbox.token}

  curl -sS -H "Authorization: Bearer $FAIRWAY_TOKEN" -H 'Content-Type: application/json' $FAIRWAY_URL/kubernetes-clusters -d '{
    "id": "${example}", "alias": "playground", "infrastructure_account": "aws:111111111111",
    "region": "eu-central-1", "local_id": "kube-1", "provider": "zalando-aws",
    "api_server_url": "${sandbox.endpoints.serverOf(example)}",
    "channel": "dev", "environment": "test", "criticality_level": 1, "lifecycle_status": "requested",
    "node_pools": [
      {"name": "master-default", "profile": "master-default", "instance_types": ["m5.large"], "discount_strategy": "none", "min_size": 3, "max_size": 6},
      {"name": "worker-default", "profile": "worker-default", "instance_types": ["m5.xlarge"], "discount_strategy": "none", "min_size": 4, "max_size": 8}]}'

  npm run -s fairway -- clusters list
  npm run -s fairway -- events --follow
  git clone -b dev ${sandbox.repositoryUrl} config
  kubectl --kubeconfig ${sandbox.credentialsDir}/playground.kubeconfig get nodes
`);
