import type { IncomingMessage } from 'node:http';
import { AwsError } from '../aws/aws-error.js';

export interface CredentialScope {
  readonly accessKeyId: string;
  readonly region: string;
  /** As signed: `autoscaling`, `ec2`, `cloudformation`, `elasticloadbalancing`, `sts`, `s3`, `kms`. */
  readonly service: string;
}

/** Reads the credential scope of a SigV4 request, from the header or from a presigned URL. */
export function credentialScope(request: IncomingMessage, url: URL): CredentialScope {
  const header = request.headers.authorization ?? '';
  const credential =
    /Credential=([^,\s]+)/.exec(header)?.[1] ?? url.searchParams.get('X-Amz-Credential') ?? '';
  const [accessKeyId, , region, service] = credential.split('/');
  if (!accessKeyId || !region || !service) {
    throw new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
  }
  return { accessKeyId, region, service };
}
