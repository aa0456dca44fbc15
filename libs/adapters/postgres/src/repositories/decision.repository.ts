import { MoreThan, type EntitySchema } from 'typeorm';
import type { Clock, Instant } from '#kernel';
import type { ApprovalRecord, BrokenGlass, ChannelRequest, FleetEvent, GateAnswer, Problem } from '#fleet';
import type { Lease, PromotionStorePort, StoredPolicy } from '#ports';
import { appendAudit } from '../audit-writer.js';
import type { Database, Transaction } from '../database.js';
import { complete } from '../entities/columns.js';
import {
  ApprovalEntity,
  BrokenGlassEntity,
  ChannelPolicyEntity,
  ChannelRequestEntity,
  GateAnswerEntity,
} from '../entities/decisions.schema.js';
import type { EventWriter } from '../event-writer.js';
import { withoutNulls } from '../json.js';
import { syncProblems } from '../problem-writer.js';
import { fence } from './lease.repository.js';

/** Who did what, as the audit log has it. */
interface Deed {
  readonly at: Instant;
  readonly actor: string;
  readonly action: string;
  readonly channel: string;
  readonly reason?: string;
}

/** What people decided about promotions, and what judges outside answered. */
export class DecisionRepository implements PromotionStorePort {
  constructor(
    private readonly database: Database,
    private readonly events: EventWriter,
    private readonly clock: Clock,
  ) {}

  async approvals(channel: string, treeDigest: string): Promise<readonly ApprovalRecord[]> {
    const order = { at: 'ASC', id: 'ASC' } as const;
    const rows = await this.database.read((manager) =>
      manager.find(ApprovalEntity, { where: { channel, treeDigest }, order }),
    );
    return rows.map(withoutNulls) as readonly ApprovalRecord[];
  }

  async addApproval(approval: ApprovalRecord, event: FleetEvent): Promise<void> {
    const { at, by: actor, channel, reason } = approval;
    const deed = {
      at,
      actor,
      channel,
      action: `promotion.${approval.decision}`,
      ...(reason !== undefined && { reason }),
    };
    await this.insert(ApprovalEntity, approval, deed, event);
  }

  async brokenGlass(channel: string, treeDigest: string, now: Instant): Promise<readonly BrokenGlass[]> {
    const where = { channel, treeDigest, expiresAt: MoreThan(now) };
    return this.database.read((manager) =>
      manager.find(BrokenGlassEntity, { where, order: { createdAt: 'DESC' } }),
    );
  }

  async addBrokenGlass(glass: BrokenGlass, event: FleetEvent): Promise<void> {
    const { createdAt: at, by: actor, channel, reason } = glass;
    await this.insert(
      BrokenGlassEntity,
      glass,
      { at, actor, channel, reason, action: 'glass.broken' },
      event,
    );
  }

  async getRequest(id: string): Promise<ChannelRequest | undefined> {
    const row = await this.database.read((manager) => manager.findOneBy(ChannelRequestEntity, { id }));
    return row ? (withoutNulls(row) as ChannelRequest) : undefined;
  }

  async openRequests(channel: string): Promise<readonly ChannelRequest[]> {
    const order = { createdAt: 'ASC', id: 'ASC' } as const;
    return this.findRequests({ where: { channel, state: 'open' }, order });
  }

  async requests(channel: string, take: number): Promise<readonly ChannelRequest[]> {
    return this.findRequests({ where: { channel }, order: { createdAt: 'DESC', id: 'DESC' }, take });
  }

  async addRequest(request: ChannelRequest, event: FleetEvent): Promise<void> {
    const { createdAt: at, by: actor, channel, reason } = request;
    const action = `${request.kind}.requested`;
    await this.insert(ChannelRequestEntity, request, { at, actor, channel, reason, action }, event);
  }

  async settleRequest(lease: Lease, request: ChannelRequest, news: readonly FleetEvent[]): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      await tx.manager.upsert(ChannelRequestEntity, complete(ChannelRequestEntity, request), ['id']);
      await appendAudit(tx, {
        at: request.settledAt ?? this.clock.now(),
        actor: request.by,
        action: `${request.kind}.${request.state}`,
        subject: `channel/${request.channel}`,
        ...(request.message !== undefined && { reason: request.message }),
        data: { ...request },
      });
      await this.events.append(tx, news);
    });
  }

  async answers(channel: string): Promise<readonly GateAnswer[]> {
    const order = { gate: 'ASC', name: 'ASC' } as const;
    const rows = await this.database.read((manager) =>
      manager.find(GateAnswerEntity, { where: { channel }, order }),
    );
    return rows.map(withoutNulls) as readonly GateAnswer[];
  }

  async saveAnswers(answers: readonly GateAnswer[]): Promise<void> {
    if (answers.length === 0) return;
    const rows = answers.map((answer) => complete(GateAnswerEntity, answer));
    await this.database.transaction((tx) =>
      tx.manager.upsert(GateAnswerEntity, rows, ['channel', 'gate', 'name']),
    );
  }

  async policies(): Promise<readonly StoredPolicy[]> {
    const rows = await this.database.read((manager) => manager.find(ChannelPolicyEntity));
    return rows.map(withoutNulls) as readonly StoredPolicy[];
  }

  async savePolicy(lease: Lease, policy: StoredPolicy, news: readonly FleetEvent[]): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      await tx.manager.upsert(ChannelPolicyEntity, complete(ChannelPolicyEntity, policy), ['channel']);
      await this.events.append(tx, news);
    });
  }

  async saveProblems(
    lease: Lease,
    subject: string,
    problems: readonly Problem[],
    news: readonly FleetEvent[],
  ): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      await syncProblems(tx, subject, problems, this.clock.now());
      await this.events.append(tx, news);
    });
  }

  private async findRequests(options: object): Promise<readonly ChannelRequest[]> {
    const rows = await this.database.read((manager) => manager.find(ChannelRequestEntity, options));
    return rows.map(withoutNulls) as readonly ChannelRequest[];
  }

  /** A person's word, its audit row and its event, together. */
  private async insert<T extends object>(
    entity: EntitySchema<T>,
    value: T,
    deed: Deed,
    event: FleetEvent,
  ): Promise<void> {
    await this.database.transaction(async (tx: Transaction) => {
      await tx.manager.insert(entity, complete(entity, value));
      const { at, actor, action, channel, reason } = deed;
      const data = { ...value, evidence: event.data['evidence'] };
      const subject = `channel/${channel}`;
      await appendAudit(tx, { at, actor, action, subject, data, ...(reason !== undefined && { reason }) });
      await this.events.append(tx, [event]);
    });
  }
}
