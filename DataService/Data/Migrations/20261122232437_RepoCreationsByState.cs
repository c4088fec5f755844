using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DataService.Data.Migrations
{
    /// <inheritdoc />
    public partial class RepoCreationsByState : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "ix_repo_creations_github_error_trigram",
                table: "repo_creations",
                column: "github_error",
                filter: "github_error IS NOT NULL")
                .Annotation("Npgsql:IndexMethod", "gin")
                .Annotation("Npgsql:IndexOperators", new[] { "gin_trgm_ops" });

            migrationBuilder.CreateIndex(
                name: "ix_repo_creations_state_error_code_updated_at_project_id",
                table: "repo_creations",
                columns: new[] { "state", "error_code", "updated_at", "project_id" },
                filter: "state IN ('failed', 'retrying')");

            migrationBuilder.CreateIndex(
                name: "ix_repo_creations_state_updated_at_project_id",
                table: "repo_creations",
                columns: new[] { "state", "updated_at", "project_id" });

            migrationBuilder.CreateIndex(
                name: "ix_repo_creations_without_code",
                table: "repo_creations",
                columns: new[] { "updated_at", "project_id" },
                filter: "state = 'failed' AND error_code IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_projects_without_repository",
                table: "projects",
                column: "id",
                filter: "approved_at IS NOT NULL AND github_repo IS NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_repo_creations_github_error_trigram",
                table: "repo_creations");

            migrationBuilder.DropIndex(
                name: "ix_repo_creations_state_error_code_updated_at_project_id",
                table: "repo_creations");

            migrationBuilder.DropIndex(
                name: "ix_repo_creations_state_updated_at_project_id",
                table: "repo_creations");

            migrationBuilder.DropIndex(
                name: "ix_repo_creations_without_code",
                table: "repo_creations");

            migrationBuilder.DropIndex(
                name: "ix_projects_without_repository",
                table: "projects");
        }
    }
}
