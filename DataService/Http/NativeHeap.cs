using System.Runtime.InteropServices;

namespace DataService.Http;

/// <summary>
/// The C library's heap. The runtime's compiler works in pieces of 64 kB, which it frees after each method; glibc keeps them for as long as
/// something behind them is in use: 15 of 25 MB. What is mapped by itself goes back to the system at once.
/// </summary>
internal static class NativeHeap
{
    /// <summary>Of glibc's malloc.h.</summary>
    private const int MmapThreshold = -3;

    /// <summary>In bytes. glibc's own is 128 kB, and grows.</summary>
    private const int PieceOfTheCompiler = 64 * 1024;

    /// <summary>Has pieces of 64 kB and more mapped one by one. Other C libraries have no such setting; musl gives back by itself.</summary>
    /// <returns>Whether the C library has the setting.</returns>
    public static bool ReturnWhatIsFreed()
    {
        try
        {
            return OperatingSystem.IsLinux() && SetOption(MmapThreshold, PieceOfTheCompiler) is not 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "mallopt", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetOption(int option, int value);
}
