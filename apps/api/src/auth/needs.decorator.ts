import { SetMetadata } from '@nestjs/common';
import type { Role } from '#ports';

export const NEEDS_ROLE = 'fairway:role';
export const PUBLIC = 'fairway:public';

/** Least role that may call; without it a viewer may read and an operator may change. */
export const NeedsRole = (role: Role) => SetMetadata(NEEDS_ROLE, role);

/** No token is asked for: health, metrics, and webhooks that prove themselves by signature. */
export const Public = () => SetMetadata(PUBLIC, true);

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, approver: 1, admin: 3 };

/** Operators and approvers are different people: neither includes the other; admins may do both. */
export const allows = (have: Role, need: Role): boolean =>
  have === need || need === 'viewer' || RANK[have] > RANK[need];
