import { seconds } from '#kernel';
import { integer, text } from '../aws/props.js';
import type { Actions } from './handler.js';

export const stsActions: Actions = {
  GetCallerIdentity: ({ principal }) => ({
    Arn: principal.arn,
    UserId: principal.userId,
    Account: principal.account,
  }),
  AssumeRole: ({ world, principal, params }) => {
    const { key, principal: assumed } = world.identity.assumeRole(
      principal,
      text(params['RoleArn']) ?? '',
      text(params['RoleSessionName']) ?? 'session',
      seconds(integer(params['DurationSeconds']) ?? 3600),
    );
    return {
      Credentials: {
        AccessKeyId: key.accessKeyId,
        SecretAccessKey: key.secretAccessKey,
        SessionToken: key.sessionToken,
        Expiration: new Date(key.expiresAt),
      },
      AssumedRoleUser: { AssumedRoleId: assumed.userId, Arn: assumed.arn },
    };
  },
};
