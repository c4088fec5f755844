using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace DataService.Data.Migrations
{
    /// <inheritdoc />
    public partial class Reliability : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTime>(
                name: "attempt_started_at",
                table: "repo_creations",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTime>(
                name: "lease_until",
                table: "repo_creations",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "run",
                table: "repo_creations",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<DateTime>(
                name: "turn_at",
                table: "repo_creations",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "waits_for",
                table: "repo_creations",
                type: "character varying(20)",
                maxLength: 20,
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "github_repo_id",
                table: "projects",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "content_calls",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    credential = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false),
                    at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_content_calls", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "creation_pause",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    since = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: false),
                    code = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: true),
                    credential = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: true),
                    probe_until = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_creation_pause", x => x.id);
                    table.CheckConstraint("ck_creation_pause_only_one", "id = 1");
                });

            migrationBuilder.CreateTable(
                name: "findings",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    kind = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false),
                    subject = table.Column<string>(type: "text", nullable: false),
                    project_id = table.Column<Guid>(type: "uuid", nullable: true),
                    detail = table.Column<string>(type: "text", nullable: false),
                    first_seen_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    last_seen_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    action = table.Column<string>(type: "text", nullable: true),
                    settled_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_findings", x => x.id);
                    table.CheckConstraint("ck_findings_kind", "kind IN ('missing', 'renamed', 'vanished', 'orphan')");
                });

            migrationBuilder.CreateTable(
                name: "github_quotas",
                columns: table => new
                {
                    credential = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false),
                    next_turn_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    limited_until = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    limits_in_a_row = table.Column<int>(type: "integer", nullable: false),
                    refusals_in_a_row = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_github_quotas", x => x.credential);
                });

            migrationBuilder.AddCheckConstraint(
                name: "ck_repo_creations_live_has_job",
                table: "repo_creations",
                sql: "state NOT IN ('queued', 'creating', 'retrying') OR job_id IS NOT NULL");

            migrationBuilder.AddCheckConstraint(
                name: "ck_repo_creations_waits_for",
                table: "repo_creations",
                sql: "waits_for IN ('budget', 'resume')");

            migrationBuilder.CreateIndex(
                name: "ix_projects_github_repo_id",
                table: "projects",
                column: "github_repo_id",
                filter: "github_repo_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_content_calls_credential_at",
                table: "content_calls",
                columns: new[] { "credential", "at" });

            migrationBuilder.CreateIndex(
                name: "ix_findings_kind_subject",
                table: "findings",
                columns: new[] { "kind", "subject" },
                unique: true,
                filter: "settled_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_findings_settled_at",
                table: "findings",
                column: "settled_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "content_calls");

            migrationBuilder.DropTable(
                name: "creation_pause");

            migrationBuilder.DropTable(
                name: "findings");

            migrationBuilder.DropTable(
                name: "github_quotas");

            migrationBuilder.DropCheckConstraint(
                name: "ck_repo_creations_live_has_job",
                table: "repo_creations");

            migrationBuilder.DropCheckConstraint(
                name: "ck_repo_creations_waits_for",
                table: "repo_creations");

            migrationBuilder.DropIndex(
                name: "ix_projects_github_repo_id",
                table: "projects");

            migrationBuilder.DropColumn(
                name: "attempt_started_at",
                table: "repo_creations");

            migrationBuilder.DropColumn(
                name: "lease_until",
                table: "repo_creations");

            migrationBuilder.DropColumn(
                name: "run",
                table: "repo_creations");

            migrationBuilder.DropColumn(
                name: "turn_at",
                table: "repo_creations");

            migrationBuilder.DropColumn(
                name: "waits_for",
                table: "repo_creations");

            migrationBuilder.DropColumn(
                name: "github_repo_id",
                table: "projects");
        }
    }
}
