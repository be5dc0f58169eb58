using System.Numerics;

namespace OrleansStream.Checkpoints;

/// <summary>
/// Which entries of a log may be deleted although readers find its end by galloping and take its end by creating.
/// </summary>
/// <remarks>
/// <para>Let <c>L</c> be the last position and <c>low(i)</c> the lowest set bit of <c>i</c>. The finder probes 0, the powers of two, and then only
/// positions whose bits are a prefix of the answer's: <c>i</c> is such a prefix exactly while <c>i ≤ L &lt; i + low(i)</c>. So <c>i</c> may go once
/// <c>L ≥ i + low(i)</c>, unless it is 0 or a power of two (an <i>anchor</i>): anchors stay. Of n entries about 2 log2 n stay.</para>
/// <para>A deleted entry leaves a hole in which a create succeeds. That would break the lock, so nobody trusts one create alone:
/// the writer creates only at <c>L + 1</c>, which is never a hole; a sealer looks afterwards whether it hit one. The way up from <c>i</c> is
/// <c>i + low(i)</c>, again and again, up to an anchor. If <c>i</c> is a hole, <c>L ≥ i + low(i)</c>, so that next position is there or is itself a hole, and so on up to an anchor,
/// which is never one. Hence: all positions on the way up were absent, each looked at after the one below ⇒ <c>i</c> was no hole.</para>
/// </remarks>
internal static class LogTrimming
{
    /// <summary>Whether a position is never deleted: 0 and the powers of two.</summary>
    public static bool IsAnchor(long position) => position == 0 || BitOperations.IsPow2(position);

    /// <summary>The next position on the way up.</summary>
    public static long Above(long position) => position + (position & -position);

    /// <summary>The positions that may go when the log's last position becomes <paramref name="last"/>, and not before: those just below it on a way up.</summary>
    public static IEnumerable<long> ReleasedBy(long last)
    {
        for (long bit = 1; last != 0 && bit < (last & -last); bit <<= 1)
        {
            if (!IsAnchor(last - bit)) yield return last - bit;
        }
    }
}
