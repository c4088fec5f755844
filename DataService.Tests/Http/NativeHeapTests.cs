using System.Globalization;
using System.Runtime.InteropServices;
using DataService.Http;

namespace DataService.Tests.Http;

public sealed class NativeHeapTests
{
    private const int Piece = 64 * 1024;
    private const int Pieces = 4_000;

    [Fact]
    public void What_is_freed_goes_back_to_the_system_although_something_behind_it_stays()
    {
        Assert.SkipUnless(NativeHeap.ReturnWhatIsFreed(), "the C library has no such setting");
        var (freed, kept) = (new nint[Pieces], new nint[Pieces]);
        for (var i = 0; i < Pieces; i++)
        {
            freed[i] = Marshal.AllocHGlobal(Piece);
            kept[i] = Marshal.AllocHGlobal(16);
            for (var at = 0; at < Piece; at += 1024)
                Marshal.WriteByte(freed[i], at, 1);
        }

        var full = ResidentBytes();
        Array.ForEach(freed, Marshal.FreeHGlobal);
        var after = ResidentBytes();
        Array.ForEach(kept, Marshal.FreeHGlobal);

        // The other tests of the process come and go beside it.
        Assert.True(full - after > Piece * (long)Pieces / 2, $"{full / 1_000_000} MB before, {after / 1_000_000} MB after");
    }

    private static long ResidentBytes()
    {
        var pages = File.ReadAllText("/proc/self/statm").Split(' ')[1];
        return long.Parse(pages, CultureInfo.InvariantCulture) * Environment.SystemPageSize;
    }
}
