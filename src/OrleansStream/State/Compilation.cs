using System.Runtime.CompilerServices;

namespace OrleansStream.State;

/// <summary>How methods are compiled that reading state back calls for every entry.</summary>
internal static class Compilation
{
    /// <summary>
    /// At once as well as can be. Others are compiled quickly first, and well when they were called often and nothing new was compiled for a while, which in a recovery is when it is over: what is called for the
    /// first time then, some hundred thousand times, would take twice as long and more.
    /// </summary>
    public const MethodImplOptions AtOnce = MethodImplOptions.AggressiveOptimization;
}
