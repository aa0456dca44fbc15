import type { Instant } from '#kernel';
import { AwsError } from './aws-error.js';
import { text, type Props } from './props.js';
import type { WorldContext } from './world-context.js';

export interface LaunchTemplateVersion {
  readonly number: number;
  readonly createdAt: Instant;
  readonly description?: string;
  /** AWS's `LaunchTemplateData`: ImageId, InstanceType, UserData (base64), TagSpecifications, … */
  readonly data: Props;
}

export interface LaunchTemplate {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Instant;
  readonly tags: Record<string, string>;
  defaultVersion: number;
  readonly versions: LaunchTemplateVersion[];
}

/** How groups and calls name a template. Version is a number, `$Latest` or `$Default` (also when left out). */
export interface LaunchTemplateReference {
  readonly id?: string;
  readonly name?: string;
  readonly version?: string;
}

export interface ResolvedLaunchTemplate {
  readonly template: LaunchTemplate;
  readonly version: LaunchTemplateVersion;
}

export class LaunchTemplates {
  private readonly templates = new Map<string, LaunchTemplate>();

  constructor(private readonly context: WorldContext) {}

  all(): readonly LaunchTemplate[] {
    return [...this.templates.values()];
  }

  create(name: string, data: Props, tags: Record<string, string> = {}): LaunchTemplate {
    if (this.all().some((template) => template.name === name)) {
      throw new AwsError(
        'InvalidLaunchTemplateName.AlreadyExistsException',
        `Launch template name already in use: ${name}`,
      );
    }
    checkUserData(data);
    const createdAt = this.context.scheduler.now();
    const template: LaunchTemplate = {
      id: `lt-0${this.context.random.hex(16)}`,
      name,
      createdAt,
      tags,
      defaultVersion: 1,
      versions: [{ number: 1, createdAt, data }],
    };
    this.templates.set(template.id, template);
    return template;
  }

  addVersion(reference: LaunchTemplateReference, data: Props): LaunchTemplateVersion {
    const template = this.find(reference);
    checkUserData(data);
    const number = (template.versions.at(-1)?.number ?? 0) + 1;
    const version = { number, createdAt: this.context.scheduler.now(), data };
    template.versions.push(version);
    return version;
  }

  delete(reference: LaunchTemplateReference): LaunchTemplate {
    const template = this.find(reference);
    this.templates.delete(template.id);
    return template;
  }

  find({ id, name }: LaunchTemplateReference): LaunchTemplate {
    const template = id ? this.templates.get(id) : this.all().find((candidate) => candidate.name === name);
    if (template) return template;
    throw id
      ? new AwsError(
          'InvalidLaunchTemplateId.NotFound',
          `The specified launch template, with template ID ${id}, does not exist.`,
        )
      : new AwsError(
          'InvalidLaunchTemplateName.NotFoundException',
          `The specified launch template, with template name ${name ?? ''}, does not exist.`,
        );
  }

  resolve(reference: LaunchTemplateReference): ResolvedLaunchTemplate {
    const template = this.find(reference);
    const version = this.version(template, reference.version ?? '$Default');
    return { template, version };
  }

  private version(template: LaunchTemplate, wanted: string): LaunchTemplateVersion {
    const number =
      wanted === '$Latest'
        ? template.versions.at(-1)?.number
        : wanted === '$Default'
          ? template.defaultVersion
          : Number(wanted);
    const version = template.versions.find((candidate) => candidate.number === number);
    if (version) return version;
    throw new AwsError(
      'InvalidLaunchTemplateId.VersionNotFound',
      `Could not find the specified version ${wanted} for the launch template with ID ${template.id}.`,
    );
  }
}

const USER_DATA_LIMIT = 16_384;

/** EC2 takes user data as base64 of at most 16 KiB. */
function checkUserData(data: Props): void {
  const encoded = text(data['UserData']);
  if (encoded === undefined) return;
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(encoded)) {
    throw new AwsError('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data.');
  }
  if (Buffer.from(encoded, 'base64').length > USER_DATA_LIMIT) {
    throw new AwsError('InvalidUserData.Malformed', `User data is limited to ${USER_DATA_LIMIT} bytes`);
  }
}
