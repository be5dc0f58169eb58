using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

/// <summary>
/// Appends one entry at one number. Decides only; the caller acts. Invariant: <see cref="Won"/> is true only when the number holds
/// exactly our bytes, and false only when it holds another's: nothing is concluded from an unknown outcome.
/// </summary>
internal sealed class AppendProtocol(Attempt attempt, long number)
{
    private LogAction _action = LogAction.Create;
    private bool _won;

    public LogStep Next => new(_action, attempt, number);

    /// <summary>Whether our entry is in the log.</summary>
    public bool Won => _action == LogAction.Done ? _won : throw new InvalidOperationException("Whose the number is, is not known yet.");

    public void Answer(LogAnswer answer) => _action = (_action, answer) switch
    {
        (LogAction.Create, LogAnswer.Created) => Done(won: true),
        (LogAction.Create, LogAnswer.Taken) => LogAction.Read,
        (LogAction.Read, LogAnswer.Own) => Done(won: true),
        (LogAction.Read, LogAnswer.Seal or LogAnswer.Entry) => Done(won: false),
        (LogAction.Read, LogAnswer.Nothing) => LogAction.Create,
        _ => throw new InvalidOperationException($"{answer} does not answer {_action}."),
    };

    private LogAction Done(bool won)
    {
        _won = won;
        return LogAction.Done;
    }
}
