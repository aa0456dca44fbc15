import { FailureError, sha256Hex } from '#kernel';
import type { StackTemplate } from '#fleet';
import { failureCode } from './classify.js';
import type { Objects } from './objects.js';

/** What CloudFormation takes in a request; longer templates go through S3. */
const MAX_INLINE_TEMPLATE = 51_200;

export type TemplateSource = { readonly TemplateBody: string } | { readonly TemplateURL: string };

export interface TemplateSourceOptions {
  readonly region: string;
  /** Bucket for templates that are too long for a request. */
  readonly templateBucket: string | undefined;
  /** Base of S3 URLs where a custom endpoint is used, without a slash at its end. */
  readonly s3Endpoint: string | undefined;
}

/** Hands a template to CloudFormation: in the request, or by a URL in S3. */
export class TemplateSources {
  constructor(
    private readonly objects: Objects,
    private readonly options: TemplateSourceOptions,
  ) {}

  /** Emulators disagree on how a URL names their bucket: the next form is tried where one leads nowhere. */
  async send<T>(stack: StackTemplate, send: (source: TemplateSource) => Promise<T>): Promise<T> {
    const [first, ...others] = await this.#sources(stack);
    return others.reduce(
      (sent, source) =>
        sent.catch((thrown: unknown) => {
          if (!['aws-missing', 'template-invalid'].includes(failureCode(thrown))) throw thrown;
          return send(source);
        }),
      send(first),
    );
  }

  async #sources(stack: StackTemplate): Promise<readonly [TemplateSource, ...TemplateSource[]]> {
    const body = Buffer.from(stack.body, 'utf8');
    if (body.length <= MAX_INLINE_TEMPLATE) return [{ TemplateBody: stack.body }];
    const { templateBucket: bucket, s3Endpoint, region } = this.options;
    if (bucket === undefined) {
      throw new FailureError({
        class: 'invalid',
        code: 'template-too-large',
        message: `the template of stack ${stack.name} has ${body.length} bytes, ${MAX_INLINE_TEMPLATE} are allowed in a request`,
        hint: 'Configure a bucket for templates (FAIRWAY_AWS_TEMPLATE_BUCKET), or split the template.',
        place: { file: stack.file },
      });
    }
    const key = `fairway/templates/${sha256Hex(body)}`;
    await this.objects.put(bucket, key, body);
    const host = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
    const onAws = { TemplateURL: `https://${bucket}.s3.${region}.${host}/${key}` };
    return s3Endpoint === undefined ? [onAws] : [{ TemplateURL: `${s3Endpoint}/${bucket}/${key}` }, onAws];
  }
}
