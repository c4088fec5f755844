using DataService;
using DataService.Data;
using DataService.Diagnosis;
using DataService.Domain;
using DataService.Http;

NativeHeap.ReturnWhatIsFreed();
using var stop = new StopSignal();
try
{
    await using var app = await DataServiceApp.BuildAsync(args, change: null, stop.Token);
    if (DoctorCommand.IsAsked(args))
        return await DoctorCommand.RunAsync(app.Services, args, stop.Token);
    await app.Services.GetRequiredService<DatabaseMigration>().ApplyAsync(stop.Token);
    if (args.Contains("--migrate-only"))
        return 0;

    app.MapAll();
    await app.ListenAsync(stop.Token);
    await app.WaitForShutdownAsync(stop.Token);
    return 0;
}
catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
{
    // A deployment that waits for the migrations must not take them for applied: 128 + SIGTERM, as the shell would say.
    return args.Contains("--migrate-only") || DoctorCommand.IsAsked(args) ? 143 : 0;
}
// What only the person at the terminal can mend: one line says what, without a stack trace.
catch (Exception exception) when (exception is ConfigurationException or EmbeddedPostgresException)
{
    if (DoctorCommand.IsAsked(args))
        return DoctorCommand.Refuse(exception.Message, args);
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
