import type { AwsWorld } from '../aws/aws-world.js';
import type { Principal } from '../aws/identity.js';
import type { Props } from '../aws/props.js';
import type { RegionalAws } from '../aws/region.js';

export interface WireRequest {
  readonly world: AwsWorld;
  readonly home: RegionalAws;
  readonly principal: Principal;
  readonly params: Props;
  /** Upper bound of a page, for tests that want many pages. */
  readonly pageLimit: number | undefined;
}

/** One action: reads the parameters, does it, answers with the members of AWS's result shape. */
type Handler = (request: WireRequest) => object;

export type Actions = Readonly<Record<string, Handler>>;

export const instant = (at: number | undefined): Date | undefined =>
  at === undefined ? undefined : new Date(at);
