using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace DataService.Data.Migrations
{
    /// <inheritdoc />
    public partial class AuditAndTimeline : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "noted_wait",
                table: "repo_creations",
                type: "character varying(20)",
                maxLength: 20,
                nullable: true);

            migrationBuilder.CreateTable(
                name: "audit_entries",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    actor = table.Column<string>(type: "text", nullable: false),
                    origin = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false),
                    action = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    project_id = table.Column<Guid>(type: "uuid", nullable: true),
                    slug = table.Column<string>(type: "character varying(95)", maxLength: 95, nullable: true),
                    count = table.Column<int>(type: "integer", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    detail = table.Column<string>(type: "text", nullable: true),
                    request_id = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_entries", x => x.id);
                    table.CheckConstraint("ck_audit_entries_action", "action IN ('approve', 'choose_repository', 'clear_repository', 'requeue', 'requeue_bulk', 'enqueue_missing', 'pause', 'resume', 'delete_project', 'reconcile', 'retry_job', 'delete_job', 'trigger_job')");
                    table.CheckConstraint("ck_audit_entries_origin", "origin IN ('rest', 'dashboard', 'script', 'service')");
                });

            migrationBuilder.CreateTable(
                name: "creation_events",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    project_id = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    kind = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false),
                    text = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: true),
                    job_id = table.Column<string>(type: "text", nullable: true),
                    code = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: true),
                    github_status = table.Column<int>(type: "integer", nullable: true),
                    next_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_creation_events", x => x.id);
                    table.CheckConstraint("ck_creation_events_kind", "kind IN ('enqueued', 'attempt_started', 'rescued', 'name_taken', 'waiting', 'retrying', 'failed', 'created', 'adopted', 'skipped', 'superseded')");
                    table.ForeignKey(
                        name: "fk_creation_events_repo_creations_project_id",
                        column: x => x.project_id,
                        principalTable: "repo_creations",
                        principalColumn: "project_id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.AddCheckConstraint(
                name: "ck_repo_creations_noted_wait",
                table: "repo_creations",
                sql: "noted_wait IN ('budget', 'resume')");

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_action_id",
                table: "audit_entries",
                columns: new[] { "action", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_actor_id",
                table: "audit_entries",
                columns: new[] { "actor", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_at",
                table: "audit_entries",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_project_id_id",
                table: "audit_entries",
                columns: new[] { "project_id", "id" },
                filter: "project_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_slug_id",
                table: "audit_entries",
                columns: new[] { "slug", "id" },
                filter: "slug IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_creation_events_at",
                table: "creation_events",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "ix_creation_events_project_id_id",
                table: "creation_events",
                columns: new[] { "project_id", "id" });

            // By hand: nothing in the model says it. Entries and events are only ever added. The retention alone may delete entries: it says so
            // within its transaction. Events go with their creation.
            migrationBuilder.Sql(
                """
                CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF TG_OP = 'DELETE' AND current_setting('dataservice.retention', true) = 'on' THEN
                        RETURN NULL;
                    END IF;
                    RAISE EXCEPTION '% is refused: rows of % are only ever added', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
                END
                $$;
                CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
                CREATE TRIGGER creation_events_append_only BEFORE UPDATE ON creation_events
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_entries");

            migrationBuilder.DropTable(
                name: "creation_events");

            migrationBuilder.Sql("DROP FUNCTION refuse_change();");

            migrationBuilder.DropCheckConstraint(
                name: "ck_repo_creations_noted_wait",
                table: "repo_creations");

            migrationBuilder.DropColumn(
                name: "noted_wait",
                table: "repo_creations");
        }
    }
}
