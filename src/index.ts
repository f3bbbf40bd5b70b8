/** The public library: everything that a program needs to deploy without the command line. */
export { createClock, type Clock } from './lib/clock.ts';
export { loadClass, loadLab, loadUsers } from './lib/config/load.ts';
export {
  listConnections,
  loadConnection,
  type ConnectionList,
  type ConnectionOptions,
} from './lib/config/connections/connection.ts';
export { CredentialsFile } from './lib/credentials/credentials-file.ts';
export type { ApplyEvent, StepResult } from './lib/execute/types.ts';
export type { RunOutcome, StandSummary, Summary } from './lib/outcome/types.ts';
export { readInventory, type InventoryScope } from './lib/inventory/read.ts';
export { planDeploy, type DeployInput, type DeployOptions } from './lib/plan/deploy/deploy.ts';
export type { Step, StepKind, StepOf, StepPayloads } from './lib/plan/document/step.ts';
export type { Nic } from './lib/pve-values/nics.ts';
export { createPveClient, type PveClient } from './lib/proxmox/client.ts';
export { readCertificate, type ServerCertificate } from './lib/proxmox/certificate.ts';
export { createTaskWaiter } from './lib/proxmox/tasks.ts';
export type { PveApi, TaskWaiter } from './lib/proxmox/types.ts';
export { renderPlan } from './lib/render/plan-text.ts';
export { renderSummary } from './lib/render/summary-text.ts';
export { toResultDocument } from './lib/render/result-json.ts';
export { defaultScenario, loadScenario } from './lib/simulator/scenario.ts';
export { startSimulator, type Simulator } from './lib/simulator/simulator.ts';
export { applySavedPlan, deploy, previewDeploy, type DeployWant } from './lib/workflow/deploy.ts';
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
export { loadPlan, savePlan } from './lib/workflow/plan-file.ts';
export type * from './lib/config/types.ts';
export * from './lib/errors.ts';
export type * from './lib/inventory/types.ts';
export type * from './lib/plan/document/plan.ts';
