using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace OrleansStream.State;

/// <summary>Asks the processor for what is needed in a moment, where it can be asked; nothing else comes of it.</summary>
internal static unsafe class Cache
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch<T>(ref T place)
    {
        // The collector may move the place before it is fetched: then the wrong cache line comes.
        if (Sse.IsSupported) Sse.Prefetch0(Unsafe.AsPointer(ref place));
    }
}
