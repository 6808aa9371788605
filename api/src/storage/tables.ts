/**
 * Every table and column, as Kysely sees them: the tables of a domain stand in tables/. A test compares them with the live schema.
 * Each table belongs to one domain, named above it; only its owner writes it.
 * Types: `timestamptz` is read as an ISO string in UTC and written as Date or ISO string; `date` is `YYYY-MM-DD`; `int8` is
 * bigint; money columns end in `_fen` and are bigint.
 */
import type {
  AccountRoleTable, AccountTable, AppTable, CareRelationTable, ClientTable, HiddenItemTable, KnownDeviceTable, OidcArtefactTable,
  ProxyGrantTable, RecordBarTable, SignInFailureTable, SignInSessionTable, SigningKeyTable, SmartLaunchTable, UsedAssertionTable,
} from './tables/access.ts'
import type {
  AbsenceTable, BookingParameterTable, BookingPatientTable, BookingTable, CalendarDayTable, ClinicDoctorTable, ClinicProviderTable,
  ClinicRoomTable, ClinicServiceTable,
  ClinicSessionTable, DrawTable, DrawTicketTable, QueueTicketTable, ReferralEventTable, ReferralTable, ReferralTryTable,
  ReminderPlanTable, ReminderTable, SessionTemplateTable, SupplyChangeTable, WaitEntryTable, WaitLogTable,
} from './tables/booking.ts'
import type {
  AccountTurnTable, AccumulatorTable, CatalogueItemTable, CentreDifferenceTable, ClaimTable, ClearingTable, EnrolmentTable,
  FilingTable, ForwardTable, FundEntryTable, InsuredPersonTable, StatementLineTable, StatementTable, VisitBatchTable,
  VisitDetailTable, VisitTable,
} from './tables/insurer.ts'
import type { ContactPreferenceTable, DemoMessageTable, NoticeMessageTable, NoticeTable } from './tables/notices.ts'
import type {
  AuditDayTable, AuditEventTable, BreakGlassTable, BulkExportChunkTable, BulkExportMemberTable, BulkExportPatientTable,
  BulkExportReferenceTable, BulkExportTable, IdAliasTable, IdempotencyTable, IdxStringTable, IdxValueTable, LoadedFileTable,
  PlatformFactTable, ReindexTable, ResourceHistoryTable, ResourceTable, ResourceTypeTable, SearchTextTable,
} from './tables/records.ts'
import type {
  BillLineTable, BillTable, ClearingMonthTable, CorrectionTable, DeskDayTable, DifferenceTable, LedgerEntryTable, PaymentTable,
  ReconciliationDayTable, SettlementAttemptTable, SettlementEventTable, VisitStepTable,
} from './tables/settlement.ts'

export type * from './tables/access.ts'
export type * from './tables/booking.ts'
export type * from './tables/insurer.ts'
export type * from './tables/notices.ts'
export type * from './tables/records.ts'
export type * from './tables/settlement.ts'

export interface Tables {
  resource: ResourceTable
  resource_history: ResourceHistoryTable
  resource_type: ResourceTypeTable
  id_alias: IdAliasTable
  idx_string: IdxStringTable
  idx_value: IdxValueTable
  search_text: SearchTextTable
  reindex: ReindexTable
  bulk_export: BulkExportTable
  bulk_export_member: BulkExportMemberTable
  bulk_export_reference: BulkExportReferenceTable
  bulk_export_patient: BulkExportPatientTable
  bulk_export_chunk: BulkExportChunkTable
  audit_event: AuditEventTable
  audit_day: AuditDayTable
  account: AccountTable
  account_role: AccountRoleTable
  proxy_grant: ProxyGrantTable
  care_relation: CareRelationTable
  record_bar: RecordBarTable
  hidden_item: HiddenItemTable
  break_glass: BreakGlassTable
  client: ClientTable
  signing_key: SigningKeyTable
  used_assertion: UsedAssertionTable
  sign_in_session: SignInSessionTable
  app: AppTable
  smart_launch: SmartLaunchTable
  oidc_artefact: OidcArtefactTable
  sign_in_failure: SignInFailureTable
  known_device: KnownDeviceTable
  idempotency: IdempotencyTable
  loaded_file: LoadedFileTable
  platform_fact: PlatformFactTable
  clinic_provider: ClinicProviderTable
  session_template: SessionTemplateTable
  clinic_session: ClinicSessionTable
  booking: BookingTable
  booking_patient: BookingPatientTable
  absence: AbsenceTable
  wait_entry: WaitEntryTable
  wait_log: WaitLogTable
  draw: DrawTable
  queue_ticket: QueueTicketTable
  referral: ReferralTable
  referral_event: ReferralEventTable
  referral_try: ReferralTryTable
  draw_ticket: DrawTicketTable
  booking_parameter: BookingParameterTable
  calendar_day: CalendarDayTable
  notice: NoticeTable
  notice_message: NoticeMessageTable
  reminder_plan: ReminderPlanTable
  reminder: ReminderTable
  supply_change: SupplyChangeTable
  clinic_room: ClinicRoomTable
  clinic_service: ClinicServiceTable
  clinic_doctor: ClinicDoctorTable
  contact_preference: ContactPreferenceTable
  demo_message: DemoMessageTable
  bill: BillTable
  bill_line: BillLineTable
  settlement_attempt: SettlementAttemptTable
  visit_step: VisitStepTable
  ledger_entry: LedgerEntryTable
  settlement_event: SettlementEventTable
  payment: PaymentTable
  reconciliation_day: ReconciliationDayTable
  difference: DifferenceTable
  desk_day: DeskDayTable
  clearing_month: ClearingMonthTable
  correction: CorrectionTable
}

/** The database of an insurance centre. Tables are added by its own migrations under migrations/insurer. */
export interface InsurerTables {
  client: ClientTable
  signing_key: SigningKeyTable
  used_assertion: UsedAssertionTable
  insured_person: InsuredPersonTable
  enrolment: EnrolmentTable
  accumulator: AccumulatorTable
  claim: ClaimTable
  fund_entry: FundEntryTable
  filing: FilingTable
  catalogue_item: CatalogueItemTable
  forward: ForwardTable
  account_turn: AccountTurnTable
  visit: VisitTable
  visit_batch: VisitBatchTable
  visit_detail: VisitDetailTable
  statement: StatementTable
  statement_line: StatementLineTable
  difference: CentreDifferenceTable
  clearing: ClearingTable
}
