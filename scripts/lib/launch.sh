# shellcheck shell=bash
# Runs the C# program that stands beside the script which sources this: scripts/pause is scripts/pause.cs, from any folder and through links.
set -euo pipefail

script=$(readlink -f "${BASH_SOURCE[1]}")
folder=$(dirname "$script")
# shellcheck source-path=SCRIPTDIR source=setup.sh
. "$folder/lib/setup.sh"

need_dotnet
# Else the first call of a user says so on standard output.
export DOTNET_SKIP_WORKLOAD_INTEGRITY_CHECK=1
# From this one on a program of one file may include others.
if ! dotnet --list-sdks | grep -Eq '^10\.0\.([3-9][0-9]{2}|[0-9]{4})'; then
  fail "The scripts need .NET SDK 10.0.300 or newer: get it from https://dotnet.microsoft.com/download/dotnet/10.0 and run this again."
fi
exec dotnet run --file "$script.cs" -- "$@"
