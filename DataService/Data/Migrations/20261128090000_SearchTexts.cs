using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DataService.Data.Migrations
{
    /// <inheritdoc />
    public partial class SearchTexts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_projects_name_trigram",
                table: "projects");

            migrationBuilder.DropIndex(
                name: "ix_projects_slug_trigram",
                table: "projects");

            migrationBuilder.DropIndex(
                name: "ix_projects_created_at_id",
                table: "projects");

            migrationBuilder.DropIndex(
                name: "ix_repo_creations_state_updated_at_project_id",
                table: "repo_creations");

            // By hand: the model knows nothing of these columns, which only SQL reads. They are in lower case, so that LIKE does: ILIKE folds both
            // sides again for each row, and takes several times as long. An index that includes a text answers without the table.
            migrationBuilder.Sql(
                """
                ALTER TABLE projects ADD COLUMN search_text text NOT NULL GENERATED ALWAYS AS (lower(slug || E'\n' || name)) STORED;
                CREATE INDEX ix_projects_search_text_trigram ON projects USING gin (search_text gin_trgm_ops);
                CREATE INDEX ix_projects_created_at_id ON projects (created_at DESC, id DESC) INCLUDE (status, search_text);
                """);

            // A creation has its project's text, which never changes; and GitHub's, while that matters. An entry of an index must not exceed 2,704
            // bytes: only what is longer than all that GitHub is quoted with in Latin letters is cut. In one pass over the table.
            migrationBuilder.Sql(
                """
                CREATE FUNCTION project_search_text(project uuid) RETURNS text LANGUAGE sql STABLE AS 'SELECT search_text FROM projects WHERE id = project';
                ALTER TABLE repo_creations ADD COLUMN called text;
                ALTER TABLE repo_creations
                    ALTER COLUMN called TYPE text USING project_search_text(project_id),
                    ADD COLUMN told text GENERATED ALWAYS AS (
                        CASE WHEN state IN ('failed', 'retrying')
                            THEN lower(CASE WHEN octet_length(github_error) <= 1400 THEN github_error ELSE left(github_error, 350) END) END) STORED;
                CREATE FUNCTION set_called() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    NEW.called := project_search_text(NEW.project_id);
                    RETURN NEW;
                END
                $$;
                CREATE TRIGGER repo_creations_called BEFORE INSERT ON repo_creations
                    FOR EACH ROW WHEN (NEW.called IS NULL) EXECUTE FUNCTION set_called();
                CREATE INDEX ix_repo_creations_state_updated_at_project_id ON repo_creations (state, updated_at, project_id) INCLUDE (called);
                CREATE INDEX ix_repo_creations_failures ON repo_creations (state, updated_at, project_id) INCLUDE (error_code, called, told)
                    WHERE state IN ('failed', 'retrying');
                """);

            migrationBuilder.DropIndex(
                name: "ix_audit_entries_action_id",
                table: "audit_entries");

            migrationBuilder.DropIndex(
                name: "ix_audit_entries_actor_id",
                table: "audit_entries");

            migrationBuilder.DropIndex(
                name: "ix_audit_entries_at",
                table: "audit_entries");

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_action_at_id",
                table: "audit_entries",
                columns: new[] { "action", "at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_actor_at_id",
                table: "audit_entries",
                columns: new[] { "actor", "at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_at_id",
                table: "audit_entries",
                columns: new[] { "at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_repo_creations_waits_for",
                table: "repo_creations",
                column: "waits_for",
                filter: "waits_for IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_audit_entries_action_at_id",
                table: "audit_entries");

            migrationBuilder.DropIndex(
                name: "ix_audit_entries_actor_at_id",
                table: "audit_entries");

            migrationBuilder.DropIndex(
                name: "ix_audit_entries_at_id",
                table: "audit_entries");

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
                columns: new[] { "at" });

            migrationBuilder.DropIndex(
                name: "ix_repo_creations_waits_for",
                table: "repo_creations");

            migrationBuilder.Sql(
                """
                DROP TRIGGER repo_creations_called ON repo_creations;
                DROP FUNCTION set_called();
                DROP FUNCTION project_search_text(uuid);
                ALTER TABLE repo_creations DROP COLUMN called, DROP COLUMN told;
                ALTER TABLE projects DROP COLUMN search_text;
                """);

            migrationBuilder.CreateIndex(
                name: "ix_projects_created_at_id",
                table: "projects",
                columns: new[] { "created_at", "id" },
                descending: new bool[0]);

            migrationBuilder.CreateIndex(
                name: "ix_repo_creations_state_updated_at_project_id",
                table: "repo_creations",
                columns: new[] { "state", "updated_at", "project_id" });

            migrationBuilder.CreateIndex(
                name: "ix_projects_name_trigram",
                table: "projects",
                column: "name")
                .Annotation("Npgsql:IndexMethod", "gin")
                .Annotation("Npgsql:IndexOperators", new[] { "gin_trgm_ops" });

            migrationBuilder.CreateIndex(
                name: "ix_projects_slug_trigram",
                table: "projects",
                column: "slug")
                .Annotation("Npgsql:IndexMethod", "gin")
                .Annotation("Npgsql:IndexOperators", new[] { "gin_trgm_ops" });
        }
    }
}
