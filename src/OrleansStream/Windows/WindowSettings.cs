using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Windows;

/// <summary>What makes up an operator of windows that may have any trigger and content.</summary>
internal sealed class WindowSettings<TKey, TIn>
    where TKey : notnull
{
    public required Func<TIn, TKey> Key { get; init; }

    /// <summary>Adds the windows of a record to a list.</summary>
    public required AssignWindows<TIn> Assign { get; init; }

    public required bool IsProcessingTime { get; init; }

    public required bool IsEndless { get; init; }

    public required bool Merges { get; init; }

    /// <summary>How long a window is kept behind its end.</summary>
    public required TimeSpan Lateness { get; init; }

    /// <summary>When windows fire; null for their end and each late record.</summary>
    public required Trigger<TIn>? Trigger { get; init; }

    public required WindowContent<TKey, TIn> Content { get; init; }

    /// <summary>What the window function keeps of a window.</summary>
    public IReadOnlyList<StateDeclaration> WindowStates { get; init; } = [];

    /// <summary>What the window function keeps of a key.</summary>
    public IReadOnlyList<StateDeclaration> KeyStates { get; init; } = [];

    /// <summary>Where results go, and records to side outputs, the one for late records among them.</summary>
    public required WindowOutputs Outputs { get; init; }

    public required Output<TIn> Late { get; init; }

    public required Failures<TIn> Failures { get; init; }
}

/// <summary>Adds the windows of a record, earliest first, to a list.</summary>
internal delegate void AssignWindows<TIn>(in TIn record, long time, List<TimeWindow> windows);
