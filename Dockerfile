FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY DataService/DataService.csproj DataService/
RUN dotnet restore DataService --os linux-musl
COPY appsettings*.json ./
COPY DataService/ DataService/
RUN dotnet publish DataService --configuration Release --os linux-musl --self-contained false --no-restore --output /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0-alpine
WORKDIR /app
COPY --from=build /app .
# Nothing is written: the root file system may be read-only. The diagnostics port would be a file.
ENV ASPNETCORE_URLS=http://+:8788 \
    ASPNETCORE_HTTP_PORTS= \
    DOTNET_EnableDiagnostics=0
EXPOSE 8788
USER $APP_UID
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD wget -q -O /dev/null http://127.0.0.1:8788/health/live
# docker run --rm --env-file FILE IMAGE doctor checks the same environment, and starts nothing.
ENTRYPOINT ["dotnet", "DataService.dll"]
