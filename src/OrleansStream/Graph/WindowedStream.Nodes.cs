using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Windows;

namespace OrleansStream.Graph;

/// <summary>How the windows are put together, and what is refused about them.</summary>
public sealed partial class WindowedStream<TKey, T>
{
    /// <summary>The trigger, unless it says what windows do anyway; windows by number have their own.</summary>
    private Trigger<T>? EffectiveTrigger => _windows switch
    {
        CountWindows { Problem: not null } => null,
        CountWindows { Slide: { } slide } => Triggers.Count<T>(slide),
        CountWindows count => Triggers.Purging(Triggers.Count<T>(count.Size)),
        _ when _trigger is EventTimeTrigger<T> && !_windows.IsProcessingTime => null,
        _ when _trigger is ProcessingTimeTrigger<T> && _windows.IsProcessingTime => null,
        _ => _trigger,
    };

    private Evictor<T>? Evictor => _windows is CountWindows { Slide: not null, Problem: null } count ? Evictors.Count<T>(count.Size) : _evictor;

    /// <summary>Whether an aggregate has an operator of its own, which keeps no more than it must.</summary>
    private bool IsPlain => _windows is TumblingWindows or SlidingWindows && !_windows.IsProcessingTime && EffectiveTrigger is null && _evictor is null;

    private Operator<T> Plain<TAccumulator, TResult>(
        ChainBuilder chain, KeyedNode<T, WindowResult<TKey, TResult>> self, AggregateFunction<T, TAccumulator, TResult> aggregate)
    {
        var output = chain.OutputOf(self.Port);
        var late = LateOf(chain.SidesOf(self.Sides));
        var failures = chain.FailuresOf(self, self.OnError, self.DeadLetters);
        return _windows is SlidingWindows sliding
            ? new SlidingOperator<TKey, T, TAccumulator, TResult>(self.Name, chain.Context, _keyed.Key, sliding, _allowedLateness, aggregate, output, late, failures) { Name = self.Name }
            : new WindowOperator<TKey, T, TAccumulator, TResult>(
                self.Name, chain.Context, _keyed.Key, (TumblingWindows)_windows, _allowedLateness, aggregate, output, late, failures)
            { Name = self.Name };
    }

    private KeyedNode<T, TOut> AddGeneral<TOut>(
        string name, OnError onError, IReadOnlyList<StateDeclaration> windowStates, IReadOnlyList<StateDeclaration> keyStates,
        Func<IServiceProvider, WindowOutputs<TOut>, WindowContent<TKey, T>> content)
    {
        var trigger = EffectiveTrigger;
        var assign = _windows.For<T>();
        var node = Add<TOut>(name, onError, (chain, self) =>
        {
            var sides = chain.SidesOf(self.Sides);
            var outputs = new WindowOutputs<TOut>(self.Name, chain.OutputOf(self.Port), sides, hold: self.OnError == OnError.DeadLetter);
            return new GeneralWindowOperator<TKey, T>(self.Name, chain.Context, new WindowSettings<TKey, T>
            {
                Key = _keyed.Key,
                Assign = assign!,
                IsProcessingTime = _windows.IsProcessingTime,
                IsEndless = _windows.IsEndless,
                Merges = _windows.Merges,
                Lateness = _allowedLateness,
                Trigger = trigger,
                Content = content(chain.Services, outputs),
                WindowStates = windowStates,
                KeyStates = keyStates,
                Outputs = outputs,
                Late = LateOf(sides),
                Failures = chain.FailuresOf(self, self.OnError, self.DeadLetters),
            })
            { Name = self.Name };
        });

        if (assign is null) _graph.Refuse(node, $"its sessions read their gap from another type than {TypeName.Of(typeof(T))}");
        if (_trigger is not null) node.Properties["trigger"] = TypeName.Of(_trigger.GetType());
        if (_evictor is not null) node.Properties["evictor"] = TypeName.Of(_evictor.GetType());
        if (_windows is CountWindows && (_trigger ?? (object?)_evictor) is not null) _graph.Refuse(node, "windows by number have a trigger and an evictor of their own; use GlobalWindows to choose others");
        if (_windows.Merges && trigger is { CanMerge: false }) _graph.Refuse(node, $"{TypeName.Of(trigger.GetType())} does not work for windows that become one, as sessions do");
        if (_windows.Merges && windowStates.Count > 0) _graph.Refuse(node, "its function keeps state of windows, which sessions cannot have: they become one; keep it by key");
        if (Evictor is not null) StateCheck.CheckStored(_graph, node, "a record that is kept", typeof(T));
        StateCheck.Check(_graph, node, [.. trigger?.States ?? [], .. windowStates]);
        StateCheck.Check(_graph, node, keyStates);
        foreach (var state in (trigger?.States ?? []).Concat(windowStates).Where(static state => state.TimeToLive is not null))
        {
            _graph.Refuse(node, $"state '{state.Name}' has a time to live, and goes with its window anyway; leave it out");
        }

        foreach (var state in keyStates.Where(static state => state.TimeToLive is not null))
        {
            _graph.Refuse(node, $"state '{state.Name}' has a time to live, which state that window functions keep by key cannot have; keep it in a Process behind the window");
        }

        return node;
    }

    private KeyedNode<T, TOut> Add<TOut>(string name, OnError onError, Func<ChainBuilder, KeyedNode<T, TOut>, Operator<T>> make)
    {
        var node = _graph.Add(new KeyedNode<T, TOut>(_graph, "Window", name, onError, make));
        node.SideCheck = SideProblem<TOut>;
        node.NeedsEventTime = !HasNoLate;
        if (_windows.Problem is { } problem) _graph.Refuse(node, $"impossible windows: {problem}");
        if (_allowedLateness < TimeSpan.Zero) _graph.Refuse(node, $"an allowed lateness of {_allowedLateness} is below 0");
        if (HasNoLate && (_allowedLateness > TimeSpan.Zero || _late is not null)) _graph.Refuse(node, "no record is late for such windows; leave out the allowed lateness and the late output");
        if (_windows is not TumblingWindows || _windows.IsProcessingTime) node.Properties["windows"] = _windows.IsProcessingTime ? $"{_windows.Kind} in processing time" : _windows.Kind;
        foreach (var (property, value) in _windows.Properties) node.Properties[property] = value;
        node.Properties["allowedLateness"] = _allowedLateness.ToString("c");
        _keyed.Connect(node);
        return node;
    }

    private bool HasNoLate => _windows.IsProcessingTime || _windows.IsEndless;

    private string? SideProblem<TOut>(string name, Type record)
    {
        // A window function may emit to any other one.
        var isFunction = typeof(TOut) is not { IsGenericType: true } type || type.GetGenericTypeDefinition() != typeof(WindowResult<,>);
        if (_late is null) return isFunction ? null : "it has none; give Window an output for late records";
        if (name != _late.Name) return isFunction ? null : $"it emits late records only, to '{_late.Name}' of {TypeName.Of(typeof(T))}";
        return record == typeof(T) ? null : $"it emits late records only, to '{_late.Name}' of {TypeName.Of(typeof(T))}";
    }

    private Output<T> LateOf(IReadOnlyDictionary<string, ISideOutput> sides) =>
        _late is not null && sides.GetValueOrDefault(_late.Name) is SideOutputTarget<T> target ? target.Output : new Output<T>([]);

    private WindowContent<TKey, T> Listed(Func<WindowScope<TKey>, FiringTarget<TKey, IReadOnlyList<T>>> target) =>
        Evictor is { } evictor ? new EvictedContent<TKey, T>(evictor, target) : new ListContent<TKey, T>(target);

    private WindowContent<TKey, T> Folded<TAccumulator, TResult>(AggregateFunction<T, TAccumulator, TResult> aggregate, Func<WindowScope<TKey>, FiringTarget<TKey, TResult>> target) =>
        Evictor is null
            ? new AggregateContent<TKey, T, TAccumulator, TResult>(aggregate, target)
            : Listed(scope => new FoldTarget<TKey, T, TAccumulator, TResult>(aggregate, target(scope)));

    private void CheckAggregate<TOut, TAccumulator, TResult>(KeyedNode<T, TOut> node, AggregateFunction<T, TAccumulator, TResult> aggregate, bool sharesPanes = false)
    {
        node.Properties["accumulator"] = TypeName.Of(typeof(TAccumulator));
        StateCheck.CheckStored(_graph, node, "accumulator", typeof(TAccumulator));
        var why = aggregate.HasMerge || Evictor is not null ? null : _windows.Merges ? "sessions become one" : sharesPanes ? "sliding windows share what they have in common" : null;
        if (why is null) return;
        _graph.Refuse(node, aggregate is LambdaAggregate<T, TAccumulator, TResult>
            ? $"its aggregate has no merge, and {why}; give Aggregate a function that makes one accumulator of two"
            : $"{TypeName.Of(aggregate.GetType())} has no Merge, and {why}; override it to make one accumulator of two");
    }
}
