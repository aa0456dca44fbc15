import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { API, type ApiRuntime } from './api-runtime.js';
import { TokenGuard } from './auth/token.guard.js';
import { ApiErrorFilter } from './errors/api-error.filter.js';
import { ApprovalsController } from './fleet/approvals.controller.js';
import { AuditController } from './fleet/audit.controller.js';
import { BackupsController } from './fleet/backups.controller.js';
import { ChannelsController } from './fleet/channels.controller.js';
import { ClusterStatusController } from './fleet/cluster-status.controller.js';
import { ConfigController } from './fleet/config.controller.js';
import { ConformanceController } from './fleet/conformance.controller.js';
import { DriftController } from './fleet/drift.controller.js';
import { EventsController } from './fleet/events.controller.js';
import { GatesController } from './fleet/gates.controller.js';
import { HoldsController } from './fleet/holds.controller.js';
import { InputsController } from './fleet/inputs.controller.js';
import { InspectionsController } from './fleet/inspections.controller.js';
import { NotificationsController } from './fleet/notifications.controller.js';
import { OverridesController } from './fleet/overrides.controller.js';
import { PromotionView } from './fleet/promotion-view.js';
import { PromotionsController } from './fleet/promotions.controller.js';
import { PruneController } from './fleet/prune.controller.js';
import { RollController } from './fleet/roll.controller.js';
import { RollbackController } from './fleet/rollback.controller.js';
import { TokensController } from './fleet/tokens.controller.js';
import { DocsController } from './operations/docs.controller.js';
import { HealthController } from './operations/health.controller.js';
import { AccountsController } from './registry/accounts.controller.js';
import { ClustersController } from './registry/clusters.controller.js';
import { ConfigItemsController } from './registry/config-items.controller.js';
import { NodePoolsController } from './registry/node-pools.controller.js';
import { GitWebhookController } from './webhooks/git-webhook.controller.js';

@Module({})
export class ApiModule {
  static with(runtime: ApiRuntime): DynamicModule {
    return {
      module: ApiModule,
      providers: [
        { provide: API, useValue: runtime },
        PromotionView,
        { provide: APP_GUARD, useClass: TokenGuard },
        { provide: APP_FILTER, useClass: ApiErrorFilter },
      ],
      controllers: [
        AccountsController,
        ClustersController,
        ConfigItemsController,
        NodePoolsController,
        ChannelsController,
        GatesController,
        PromotionsController,
        ApprovalsController,
        RollController,
        RollbackController,
        BackupsController,
        ConfigController,
        InputsController,
        InspectionsController,
        OverridesController,
        ConformanceController,
        NotificationsController,
        ClusterStatusController,
        DriftController,
        PruneController,
        EventsController,
        HoldsController,
        TokensController,
        AuditController,
        GitWebhookController,
        HealthController,
        DocsController,
      ],
    };
  }
}
