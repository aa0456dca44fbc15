import { AutoScaling } from './auto-scaling.js';
import type { MachineImage } from './catalog.js';
import { CloudFormation } from './cloudformation/cloud-formation.js';
import { Instances } from './instances.js';
import { KeyManagement } from './kms.js';
import { LaunchTemplates } from './launch-templates.js';
import { LoadBalancing } from './load-balancing.js';
import { Network } from './network.js';
import { Quotas } from './quotas.js';
import type { ObjectStore } from './s3.js';
import type { WorldContext } from './world-context.js';

export interface RegionParts {
  readonly context: WorldContext;
  readonly images: () => readonly MachineImage[];
  readonly objects: ObjectStore;
  readonly addressPrefix?: string;
}

/** Everything one account has in one region. */
export class RegionalAws {
  readonly network: Network;
  readonly quotas = new Quotas();
  readonly instances: Instances;
  readonly launchTemplates: LaunchTemplates;
  readonly loadBalancing: LoadBalancing;
  readonly autoScaling: AutoScaling;
  readonly cloudFormation: CloudFormation;
  readonly kms: KeyManagement;
  readonly context: WorldContext;
  readonly objects: ObjectStore;

  constructor(
    parts: RegionParts,
    readonly account: string,
    readonly region: string,
  ) {
    const { context } = parts;
    this.context = context;
    this.objects = parts.objects;
    this.network = new Network(account, region, parts.addressPrefix);
    this.instances = new Instances(context, account, region, this.network, this.quotas, parts.images);
    this.launchTemplates = new LaunchTemplates(context);
    this.loadBalancing = new LoadBalancing({ context, instances: this.instances, network: this.network });
    this.autoScaling = new AutoScaling({ ...this, context });
    this.kms = new KeyManagement(context.random.fork(`kms ${account} ${region}`), account, region);
    this.cloudFormation = new CloudFormation(this);
  }
}
