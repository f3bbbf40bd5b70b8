/** The public library: everything that a program needs to deploy without the command line. */
export {
  createDeployStand,
  type CheckOrder,
  type CleanupOrder,
  type DeployOrder,
  type DeployStand,
  type DeployStandOptions,
  type StatusOrder,
  type Target,
} from './lib/library/deploy-stand.ts';
export { createClock, type Clock } from './lib/clock.ts';
export { loadChecks, loadClass, loadLab, loadUsers } from './lib/config/load.ts';
export {
  listConnections,
  loadConnection,
  type ConnectionList,
  type ConnectionOptions,
} from './lib/config/connections/connection.ts';
export { CredentialsFile } from './lib/credentials/credentials-file.ts';
export type { ApplyEvent, StepResult } from './lib/execute/types.ts';
export type { NamedBridge } from './lib/execute/step-error.ts';
export type { RunOutcome, StandSummary, Summary } from './lib/outcome/types.ts';
export { readInventory, type InventoryScope } from './lib/inventory/read.ts';
export type { DeployInput, DeployOptions } from './lib/plan/deploy/context.ts';
export { planDeploy } from './lib/plan/deploy/deploy.ts';
export type { Reclone, RecloneStand } from './lib/plan/deploy/reclone.ts';
export type { Step, StepKind, StepOf, StepPayloads } from './lib/plan/document/step.ts';
export type { GuestAt, GuestKind } from './lib/pve-values/guest-kinds.ts';
export type { Nic } from './lib/pve-values/nics.ts';
export { createPveClient, type PveClient } from './lib/proxmox/client.ts';
export { readCertificate, type ServerCertificate } from './lib/proxmox/certificate.ts';
export { createTaskWaiter } from './lib/proxmox/tasks.ts';
export type {
  AgentAnswer,
  AgentProcess as PveAgentProcess,
  PveApi,
  TaskWaiter,
} from './lib/proxmox/types.ts';
export { renderPlan, type PlanTextOptions } from './lib/render/plan-text.ts';
export { renderSummary } from './lib/render/summary-text.ts';
export { toResultDocument } from './lib/render/result-json.ts';
export { defaultScenario, loadScenario } from './lib/simulator/scenario.ts';
export { startSimulator, type Simulator } from './lib/simulator/simulator.ts';
export {
  applySavedPlan,
  deploy,
  previewDeploy,
  type DeployPreview,
  type DeployWant,
} from './lib/workflow/deploy.ts';
export { checkStands, type CheckContext, type CheckWant } from './lib/workflow/check.ts';
export { loadCheckResults } from './lib/workflow/check-results.ts';
export { lookAtStands, type SeenStatus, type StatusContext, type StatusWant } from './lib/workflow/status.ts';
export { cleanup, previewCleanup, type CleanupWant } from './lib/workflow/cleanup.ts';
export type { ConnectionReport } from './lib/connections-edit/types.ts';
export { testConnection } from './lib/workflow/connections.ts';
export {
  changeTemplates,
  listTemplates,
  previewTemplates,
  type TemplatesWant,
} from './lib/workflow/templates.ts';
export { changeUsers, listUsers, previewUsers, type UsersWant } from './lib/workflow/users.ts';
export { examineCaller, type DoctorWant } from './lib/workflow/doctor.ts';
export type { DoctorReport, DoctorRow } from './lib/privileges/report.ts';
export type { RunContext } from './lib/workflow/context.ts';
export type { Readings } from './lib/workflow/readings.ts';
export { loadPlan, savePlan } from './lib/workflow/plan-file.ts';
export type * from './lib/config/types.ts';
export type {
  Check,
  CheckBase,
  CommandCheck,
  Expected,
  NicCheck,
  PowerCheck,
  SnapshotCheck,
} from './lib/config/checks/types.ts';
export * from './lib/errors.ts';
export type * from './lib/inventory/types.ts';
export type * from './lib/plan/document/plan.ts';
export {
  balance,
  previewBalance,
  type BalanceOutcome,
  type BalancePreview,
  type BalanceWant,
} from './lib/workflow/balance.ts';
export { loadBalance } from './lib/config/balance/balance.ts';
export { changeBridges, listBridges, previewBridges, type BridgesWant } from './lib/workflow/bridges.ts';
export { exportCards, type CardsExport, type ExportWant } from './lib/workflow/export.ts';
export { renderBalance } from './lib/render/balance-text.ts';
export type { BalanceOptions } from './lib/render/balance-text.ts';
export { renderBridges } from './lib/render/bridges-text.ts';
export { renderHtmlCards } from './lib/render/cards-html.ts';
export { renderMarkdownCards } from './lib/render/cards-markdown.ts';
/* Types that those above are made of. */
export type * from './lib/plan/views/checks-types.ts';
export type { ClassEnds } from './lib/plan/views/checks.ts';
export type {
  LabStatus,
  MachineDrift,
  MachineState,
  MachineStatus,
  NodeStatus,
  Problem as StandProblem,
  ProblemKind,
  SnapshotStatus,
  StandStatus,
  StatusNote,
  StatusReport,
  Waiting,
} from './lib/plan/views/status-types.ts';
export type {
  MadeMachine,
  SeenTemplates,
  TemplateCopy,
  TemplateOriginal,
  TemplateVersion,
} from './lib/plan/views/report-types.ts';
export type { Unrun } from './lib/agent/types.ts';
export type { Verdict } from './lib/plan/stands/ownership.ts';
export type { BalanceOverlay, LoadedBalance } from './lib/config/balance/balance.ts';
export type { Origin, Position } from './lib/config/input/issues.ts';
export type {
  BalanceConfig,
  BalanceMode,
  GuestRule,
  BalanceMeasure,
  GuestSelector,
  LabTimes,
  NodeLimits,
  PinRule,
  TimeSpan,
  Weekday,
} from './lib/config/balance/types.ts';
export type {
  NotifyConfig,
  NotifyEvent,
  NotifySecret as BalanceSecretSource,
} from './lib/config/notify/types.ts';
export type { KeyOptions } from './lib/config/connections/age-keys.ts';
export type { SecretKey, SecretSource, StoredConnection, StoredSsh } from './lib/config/connections/types.ts';
export type { LoadedConnection } from './lib/config/connections/connection.ts';
export type { Env } from './lib/config/connections/env.ts';
export type { FileOptions } from './lib/config/connections/file.ts';
export type { Written } from './lib/config/input/written.ts';
export type { LabOptions } from './lib/config/lab/lab.ts';
export type { OuterBridges } from './lib/config/lab/written-lab.ts';
export type { ClassOptions, LoadedClass, LoadedLab, LoadedUsers } from './lib/config/load.ts';
export type { UsersOptions } from './lib/config/users/users.ts';
export type { HostReport, Problem, Trust } from './lib/connections-edit/types.ts';
export type { CredentialRow, CredentialState } from './lib/credentials/credentials-csv.ts';
export type { InPool, Sealing, SettledState, Where } from './lib/credentials/credentials-file.ts';
export type { StandErrorOptions } from './lib/errors.ts';
export type { HostTrouble, Trouble, Unanswered } from './lib/unanswered.ts';
export type { ExitCode, StopSignal } from './lib/exit.ts';
export type { RunResult, StepOutcome } from './lib/execute/types.ts';
export type { MigrationRecord } from './lib/inventory/balance-types.ts';
export type { KeptReading, PoolReading, ReadContext } from './lib/inventory/pools.ts';
export type {
  BalanceSummary,
  MoveSummary,
  NodeSummary,
  NodesSummary,
  ReplicaSummary,
  Round,
  StandsSummary,
  SummaryStatus,
} from './lib/outcome/types.ts';
export type { RemovalOptions } from './lib/plan/stands/removal.ts';
export type { CleanupOptions, CleanupSelection } from './lib/plan/cleanup/context.ts';
export type { Taken, TakenBridge } from './lib/plan/cluster/free-vmids.ts';
export type { Pins } from './lib/plan/cluster/pins.ts';
export type { Profile } from './lib/plan/cluster/profile.ts';
export type {
  BalanceReport,
  BalanceVerdict,
  NodeLoad,
  NodeReport,
  PlannedMigration,
  PlannedMove,
  RejectedMove,
  StuckStand,
} from './lib/plan/document/balance-report.ts';
export type { AnyPlan } from './lib/plan/document/plan.ts';
export type { StepBase } from './lib/plan/document/step.ts';
export type { AccessSteps } from './lib/plan/document/steps/access.ts';
export type { NetworkSteps } from './lib/plan/document/steps/network.ts';
export type { PoolSteps } from './lib/plan/document/steps/pools.ts';
export type { TemplateSteps } from './lib/plan/document/steps/templates.ts';
export type { KeptAccount, NewAccount, UserSteps } from './lib/plan/document/steps/users.ts';
export type { OursAt } from './lib/plan/document/steps/place.ts';
export type { RemovedAs, VmSteps } from './lib/plan/document/steps/vms.ts';
export type { BridgeGuest, BridgeReport, BridgeRow, BridgeState } from './lib/plan/network/view.ts';
export type { SelectedUser, StandSelection } from './lib/plan/stands/selection.ts';
export type { ReplicaRow, TemplateReport, TemplateRow, UsableRow } from './lib/plan/templates/view.ts';
export type { UsersWork } from './lib/plan/users/context.ts';
export type { UserRow } from './lib/plan/users/list.ts';
export type { Grant } from './lib/privileges/grants.ts';
export type { CommandRights, RightsOverview } from './lib/privileges/overview.ts';
export type { Command, MachineKey, Requirement, RuleText } from './lib/privileges/types.ts';
export type { RawAnswer } from './lib/proxmox/answer.ts';
export type {
  ContainerMigrateRequest,
  BalanceApi,
  GuestRef,
  HaRuleRow,
  Metric,
  MigrateRequest,
  RrdPoint,
} from './lib/proxmox/balance-types.ts';
export type { HttpMethod } from './lib/proxmox/errors.ts';
export type { Host } from './lib/proxmox/hosts.ts';
export type { HttpOptions } from './lib/proxmox/http.ts';
export type { LinkOptions } from './lib/proxmox/link-options.ts';
export type { SdnApi, VnetRow } from './lib/proxmox/sdn-types.ts';
export type { StockApi } from './lib/proxmox/stock-types.ts';
export type { TaskSource } from './lib/proxmox/tasks.ts';
export type { SentParams } from './lib/proxmox/form.ts';
export type { Connect, Outgoing, Transport, TransportOptions } from './lib/proxmox/transports/types.ts';
export type {
  CloneRequest,
  ClusterStatus,
  ConfigValues,
  ConnectionSettings,
  NetworkRow,
  NewUser,
  RequestEvent,
  ResourceRow,
  RunPve,
  SnapshotRow,
  TaskRow,
  TaskStatus,
  Upid,
  UserChange,
  WriteEnding,
  WriteRequest,
  WriteWitness,
} from './lib/proxmox/types.ts';
export type { Card, CardMachine } from './lib/render/card.ts';
export type { FoldOptions } from './lib/render/fold.ts';
export type { RenderOptions } from './lib/render/layout.ts';
export type { JsonObject, JsonValue } from './lib/render/ordered-json.ts';
export type { SummaryOptions } from './lib/render/summary-text.ts';
export type {
  Fault,
  FaultMatch,
  FaultTiming,
  NodeFault,
  QuorumFault,
  RequestFault,
} from './lib/simulator/faults.ts';
export type { WireAnswer, WireRequest } from './lib/simulator/http/exchange.ts';
export type { Latency } from './lib/simulator/time/latency.ts';
export type {
  Scenario,
  ScenarioAcl,
  ScenarioBridge,
  ScenarioBulk,
  ScenarioFault,
  ScenarioGuest,
  ScenarioInterface,
  ScenarioMachine,
  ScenarioNode,
  ScenarioNodes,
  ScenarioStorage,
  ScenarioTemplate,
  ScenarioToken,
  ScenarioUser,
} from './lib/simulator/scenario-types.ts';
export type {
  BareSimulator,
  MutationEvent,
  RecordedRequest,
  SimulatorOptions,
} from './lib/simulator/simulator.ts';
export type {
  AclState,
  AgentCommand,
  AgentProcess,
  AgentState,
  ClusterState,
  GuestConfig,
  GuestHabits,
  GuestState,
  HaGroupState,
  HaResourceState,
  HaRuleState,
  InterfaceState,
  Json,
  MappingState,
  NodeState,
  PoolState,
  PublishedGuest,
  RealmState,
  RunningInterface,
  SdnConfig,
  SdnState,
  SnapshotState,
  StorageState,
  TaskState,
  TokenState,
  UserState,
  VnetState,
  VolumeState,
  ZoneState,
} from './lib/simulator/state.ts';
export type { RawParams } from './lib/simulator/contract/validate.ts';
export type { Version } from './lib/simulator/version.ts';
export type { TestTools } from './lib/workflow/connection-report.ts';
export type { Loaded } from './lib/workflow/connections.ts';
export type { PlanContext } from './lib/workflow/context.ts';
export type { DeployContext } from './lib/workflow/deploy.ts';
export type { LeftOut } from './lib/workflow/export.ts';
export type { Preview } from './lib/workflow/planned-run.ts';
export type { CheckedPlan } from './lib/workflow/preflight.ts';
export type { PlannedLoad } from './lib/plan/views/planned-load-types.ts';
export type { Language } from './lib/render/languages/codes.ts';
export type { KeptAcl } from './lib/plan/document/steps/users.ts';
export type { HowToTrust } from './lib/proxmox/transports/types.ts';
