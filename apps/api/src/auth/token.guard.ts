import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import type { Instant } from '#kernel';
import { seconds } from '#kernel';
import type { Principal, Role } from '#ports';
import { API, type ApiRuntime } from '../api-runtime.js';
import { ApiError } from '../errors/api-error.js';
import { allows, NEEDS_ROLE, PUBLIC } from './needs.decorator.js';
import { hashToken, looksLikeToken } from './tokens.js';

export interface AuthenticatedRequest extends Request {
  principal?: Principal;
  /** Whether the token still holds; for answers that outlive the moment in which it was looked at. */
  stillAllowed?: () => Promise<boolean>;
}

/** A revoked token works this much longer at most. */
const REMEMBERED_FOR = seconds(5);

@Injectable()
export class TokenGuard implements CanActivate {
  private readonly remembered = new Map<string, { principal: Principal; until: Instant }>();

  constructor(
    @Inject(API) private readonly api: ApiRuntime,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC, targets)) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const principal = await this.principalOf(request);
    const need = this.reflector.getAllAndOverride<Role>(NEEDS_ROLE, targets) ?? defaultRole(request.method);
    if (!allows(principal.role, need)) {
      throw new ApiError(
        403,
        'forbidden',
        `the token "${principal.name}" is a ${principal.role}'s; this needs one of role ${need}`,
      );
    }
    request.principal = principal;
    request.stillAllowed = () => this.holds(request);
    return true;
  }

  /** False only when the token is known not to hold: a database that is away takes nobody's right. */
  private async holds(request: Request): Promise<boolean> {
    try {
      await this.principalOf(request);
      return true;
    } catch (error) {
      return !(error instanceof ApiError);
    }
  }

  private async principalOf(request: Request): Promise<Principal> {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !looksLikeToken(token)) throw unauthorized();
    const hash = hashToken(token);
    const now = this.api.clock.now();
    const known = this.remembered.get(hash);
    if (known && known.until > now) return known.principal;
    const principal = await this.api.tokens.findByHash(hash, now);
    if (!principal) {
      this.remembered.delete(hash);
      throw unauthorized();
    }
    if (this.remembered.size > 1_000) this.remembered.clear();
    this.remembered.set(hash, { principal, until: now + REMEMBERED_FOR });
    return principal;
  }
}

const unauthorized = (): ApiError =>
  new ApiError(401, 'unauthorized', 'a valid token is needed', 'Send "Authorization: Bearer fwy_…".');

const defaultRole = (method: string): Role => (method === 'GET' || method === 'HEAD' ? 'viewer' : 'operator');

/** Who changes something, for the audit log. */
export const actorOf = (request: AuthenticatedRequest): string => request.principal?.name ?? 'unknown';
