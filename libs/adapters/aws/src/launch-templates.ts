import type { LaunchTemplateSpecification } from '@aws-sdk/client-auto-scaling';
import {
  DescribeLaunchTemplateVersionsCommand,
  type DescribeLaunchTemplateVersionsCommandInput,
  type LaunchTemplateVersion,
} from '@aws-sdk/client-ec2';
import { failureCode } from './classify.js';
import type { SdkClients } from './sdk-clients.js';

export interface ResolvedTemplate {
  readonly name: string;
  /** A number, always. */
  readonly version: string;
  /** What the group says instead of a number. */
  readonly floating?: '$Latest' | '$Default';
  readonly instanceType?: string;
}

/** Launch template versions; a version never changes, so a number is asked for once. */
export class LaunchTemplates {
  readonly #known = new Map<string, ResolvedTemplate>();

  constructor(private readonly sdk: SdkClients) {}

  async resolve(
    specification: LaunchTemplateSpecification | undefined,
  ): Promise<ResolvedTemplate | undefined> {
    const name = specification?.LaunchTemplateName;
    const id = specification?.LaunchTemplateId;
    if (!specification || (name === undefined && id === undefined)) return undefined;
    const asked = specification.Version ?? '$Default';
    const key = `${id ?? name}/${asked}`;
    const known = this.#known.get(key);
    if (known) return known;
    const found = await this.#find({
      // One of the two, never both.
      ...(id === undefined ? { LaunchTemplateName: name } : { LaunchTemplateId: id }),
      Versions: [asked],
    });
    const version = found?.VersionNumber;
    if (!found || version === undefined) return undefined;
    const type = found.LaunchTemplateData?.InstanceType;
    const resolved: ResolvedTemplate = {
      name: found.LaunchTemplateName ?? name ?? id ?? '',
      version: String(version),
      ...((asked === '$Latest' || asked === '$Default') && { floating: asked }),
      ...(type !== undefined && { instanceType: type }),
    };
    if (resolved.floating === undefined) this.#remember(key, resolved);
    return resolved;
  }

  /** Undefined where somebody deleted it: of the other groups of the cluster there is still something to say. */
  async #find(of: DescribeLaunchTemplateVersionsCommandInput): Promise<LaunchTemplateVersion | undefined> {
    try {
      const answer = await this.sdk.ec2.send(new DescribeLaunchTemplateVersionsCommand(of));
      return answer.LaunchTemplateVersions?.[0];
    } catch (thrown) {
      if (failureCode(thrown) === 'aws-missing') return undefined;
      throw thrown;
    }
  }

  /** Old versions are not asked for again; the oldest entry makes place. */
  #remember(key: string, template: ResolvedTemplate): void {
    if (this.#known.size >= 1000) this.#known.delete(this.#known.keys().next().value ?? '');
    this.#known.set(key, template);
  }
}
