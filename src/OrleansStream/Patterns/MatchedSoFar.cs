namespace OrleansStream.Patterns;

/// <summary>What a partial match has taken before the record at hand, for conditions. Valid during the condition's call only.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class MatchedSoFar<T>
{
    private readonly IReadOnlyList<string> _names;
    private readonly List<T>[] _taken;
    private readonly Action<List<T>[]> _fill;
    private bool _isFilled;

    /// <summary>Makes one for all partial matches, one after another.</summary>
    /// <param name="names">The steps' names.</param>
    /// <param name="fill">Puts what the partial match at hand has taken into a list per step.</param>
    internal MatchedSoFar(IReadOnlyList<string> names, Action<List<T>[]> fill)
    {
        _names = names;
        _fill = fill;
        _taken = [.. names.Select(static _ => new List<T>())];
    }

    /// <summary>The event time of the record at hand, in milliseconds since 1970.</summary>
    public long Timestamp { get; private set; }

    /// <summary>The records that a step has taken, in order: of a repeated step that is at it, those taken until now. None for a step that is still to come.</summary>
    /// <param name="step">The step's name.</param>
    /// <exception cref="ArgumentException">The pattern has no such step.</exception>
    public IReadOnlyList<T> this[string step]
    {
        get
        {
            if (!_isFilled) Fill();
            for (var i = 0; i < _names.Count; i++)
            {
                if (_names[i] == step) return _taken[i];
            }

            throw new ArgumentException($"The pattern has no step '{step}'; it has {string.Join(", ", _names.Select(static name => $"'{name}'"))}.", nameof(step));
        }
    }

    /// <summary>Turns to another partial match, or another record.</summary>
    internal void Turn(long timestamp)
    {
        Timestamp = timestamp;
        _isFilled = false;
    }

    private void Fill()
    {
        foreach (var taken in _taken) taken.Clear();
        _fill(_taken);
        _isFilled = true;
    }
}
