export type { AwsCredentials } from './account-credentials.js';
export { createAwsAccess, type AwsAccessOptions } from './aws-access.js';
export { classify } from './classify.js';
export { createEksTokens, type EksCluster, type EksTokens } from './eks-tokens.js';
