using OrleansStream.State;

namespace OrleansStream.Tests.State;

/// <summary>A piece of state and when it was last touched; null when no time was known.</summary>
internal sealed record Piece(int Value, long? Touched);

/// <summary>How one state lives in one run; a duration of null is for ever.</summary>
internal sealed record Policy(long? Duration, bool InEventTime, bool OnRead)
{
    public TimeToLive? Make() => Duration is not { } ms ? null
        : InEventTime ? TimeToLive.InEventTime(TimeSpan.FromMilliseconds(ms), OnRead) : TimeToLive.InProcessingTime(TimeSpan.FromMilliseconds(ms), OnRead);

    /// <summary>Whether times that were kept under the other policy say something under this one.</summary>
    public bool Knows(Policy other) => Duration is not null && other.Duration is not null && InEventTime == other.InEventTime;
}

/// <summary>What states that expire should hold, in plain lists: pieces by state, key and place, in the order in which they came, expired ones too.</summary>
internal sealed class ExpiryModel
{
    public const int Value = 0;
    public const int Sum = 1;
    public const int List = 2;
    public const int Map = 3;
    public const int States = 4;

    private Dictionary<(int State, char Key), List<(int Place, Piece Piece)>> _pieces = [];

    public long Watermark { get; private set; } = long.MinValue;

    public long Clock { get; set; } = 1000;

    public Policy[] Policies { get; set; } = [.. Enumerable.Repeat(new Policy(null, true, false), States)];

    public ExpiryModel Copy() => new()
    {
        _pieces = _pieces.ToDictionary(static pair => pair.Key, static pair => pair.Value.ToList()),
        Watermark = Watermark,
        Clock = Clock,
        Policies = Policies,
    };

    /// <summary>The keys that have a piece which never expires, or has not by the watermark and the clock.</summary>
    public IEnumerable<char> Keys => _pieces.Where(pair => pair.Value.Any(p => Lives(pair.Key.State, p.Piece, Floor(pair.Key.State)))).Select(static pair => pair.Key.Key).Distinct();

    public void Advance(long watermark)
    {
        if (Watermark == long.MinValue) Rewrite((state, piece) => Policies[state].InEventTime && piece.Touched is null ? piece with { Touched = watermark } : piece);
        Watermark = watermark;
    }

    /// <summary>What is there at a record of a time; a read if it is one by the policy.</summary>
    public List<(int Place, int Value)> Read(int state, char key, long at, bool isRead, int? place = null)
    {
        var now = Now(state, at);
        var pieces = Of(state, key);
        var living = new List<(int, int)>();
        for (var i = 0; i < pieces.Count; i++)
        {
            var (at1, piece) = pieces[i];
            if ((place is { } only && only != at1) || !Lives(state, piece, now)) continue;
            living.Add((at1, piece.Value));
            if (isRead && Policies[state].OnRead) pieces[i] = (at1, Touch(piece, piece.Value, now));
        }

        return living;
    }

    /// <summary>Sets the piece at a place; one that has expired comes anew.</summary>
    public void Set(int state, char key, int place, int value, long at)
    {
        var now = Now(state, at);
        var pieces = Of(state, key);
        pieces.RemoveAll(p => p.Place == place && !Lives(state, p.Piece, now));
        var index = pieces.FindIndex(p => p.Place == place);
        if (index < 0) pieces.Add((place, Touch(null, value, now)));
        else pieces[index] = (place, Touch(pieces[index].Piece, value, now));
    }

    /// <summary>Adds a piece behind all others.</summary>
    public void Append(int state, char key, int value, long at) => Of(state, key).Add((0, Touch(null, value, Now(state, at))));

    public void Remove(int state, char key, int? place = null) => Of(state, key).RemoveAll(p => place is null || p.Place == place);

    /// <summary>
    /// Goes on under other policies. What had expired under the former ones may have been removed by then or not: <paramref name="isThere"/> tells.
    /// </summary>
    public void Restore(Policy[] policies, long clock, Func<int, char, int, int, bool> isThere)
    {
        var former = Policies;
        var floors = Enumerable.Range(0, States).Select(Floor).ToArray();
        var pieces = _pieces;
        _pieces = [];
        foreach (var ((state, key), there) in pieces)
        {
            var kept = there.Where(p => Lives(former[state], p.Piece, floors[state]) || isThere(state, key, p.Place, p.Piece.Value)).ToList();
            if (kept.Count > 0) _pieces[(state, key)] = kept;
        }

        (Policies, Clock) = (policies, clock);
        Rewrite((state, piece) => policies[state].Knows(former[state]) ? piece : piece with { Touched = Moment(policies[state]) });
    }

    /// <summary>What a reader outside sees, one line per state and key.</summary>
    public string Describe() => string.Join('\n', _pieces
        .Select(pair => (pair.Key, Values: pair.Value.Where(p => Lives(pair.Key.State, p.Piece, Floor(pair.Key.State))).Select(static p => $"{p.Place}:{p.Piece.Value}").ToList()))
        .Where(static line => line.Values.Count > 0)
        .OrderBy(static line => line.Key)
        .Select(static line => Line(line.Key.State, line.Key.Key, line.Values)));

    public static string Line(int state, char key, IEnumerable<string> values) => $"{state} {key} {string.Join(' ', values)}";

    private long? Moment(Policy policy) => policy.Duration is null ? null : !policy.InEventTime ? Clock : Watermark == long.MinValue ? null : Watermark;

    private List<(int Place, Piece Piece)> Of(int state, char key) => _pieces.TryGetValue((state, key), out var pieces) ? pieces : _pieces[(state, key)] = [];

    private long Now(int state, long at) => Policies[state].InEventTime ? Math.Max(at, Watermark) : Clock;

    private long Floor(int state) => Policies[state].InEventTime ? Watermark : Clock;

    private bool Lives(int state, Piece piece, long now) => Lives(Policies[state], piece, now);

    private static bool Lives(Policy policy, Piece piece, long now) => policy.Duration is not { } duration || piece.Touched is not { } touched || now < touched + duration;

    private static Piece Touch(Piece? before, int value, long now) => new(value, Math.Max(before?.Touched ?? long.MinValue, now));

    private void Rewrite(Func<int, Piece, Piece> change)
    {
        foreach (var ((state, _), pieces) in _pieces)
        {
            for (var i = 0; i < pieces.Count; i++) pieces[i] = (pieces[i].Place, change(state, pieces[i].Piece));
        }
    }
}
