namespace OrleansStream.Tests.Functions;

/// <summary>Somebody outside who is asked, and answers when the test says so.</summary>
internal sealed class Desk
{
    private readonly Dictionary<string, Queue<TaskCompletionSource<string>>> _open = [];

    /// <summary>Everything that was asked, in order.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>What was given up by whoever asked.</summary>
    public List<string> Cancelled { get; } = [];

    /// <summary>Answers at once, without being told to.</summary>
    public bool IsQuick { get; set; }

    public Task<string> AskAsync(string question, CancellationToken cancellation)
    {
        Asked.Add(question);
        if (IsQuick) return Task.FromResult(AnswerTo(question));
        cancellation.Register(() => Cancelled.Add(question));
        var answer = new TaskCompletionSource<string>();
        if (!_open.TryGetValue(question, out var open)) _open.Add(question, open = new Queue<TaskCompletionSource<string>>());
        open.Enqueue(answer);
        return answer.Task;
    }

    /// <summary>Answers the oldest open question of each of these texts.</summary>
    public void Answer(params string[] questions)
    {
        foreach (var question in questions) Take(question).SetResult(AnswerTo(question));
    }

    public void Fail(string question, Exception? error = null) => Take(question).SetException(error ?? new FormatException($"no {question}"));

    public static string AnswerTo(string question) => question.ToUpperInvariant();

    private TaskCompletionSource<string> Take(string question) => _open.TryGetValue(question, out var open) && open.TryDequeue(out var answer)
        ? answer
        : throw new InvalidOperationException($"'{question}' was not asked, or is answered; asked were: {string.Join(' ', Asked)}");
}
