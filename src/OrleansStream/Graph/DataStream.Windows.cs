using OrleansStream.Functions;
using OrleansStream.Windows;

namespace OrleansStream.Graph;

/// <summary>Windows over all records.</summary>
public sealed partial class DataStream<T>
{
    /// <summary>Divides all records into windows, not those of each key. They all go to one subtask: where there are many, aggregate by key first.</summary>
    /// <param name="windows">Which windows: by time, by sessions, by number, or one for all.</param>
    /// <param name="allowedLateness">How long after its end a window is kept: each record that still comes fires it again with the new result.</param>
    /// <param name="late">Where records go whose window is gone; read it with <see cref="SideOutput"/>. They are counted either way.</param>
    /// <returns>The windows; their key is 0.</returns>
    public WindowedStream<byte, T> WindowAll(WindowAssigner windows, TimeSpan allowedLateness = default, SideOutput<T>? late = null) =>
        KeyBy(static _ => (byte)0).Window(windows, allowedLateness, late);
}
