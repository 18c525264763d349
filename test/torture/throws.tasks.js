throw new Error('a task module that cannot be imported');
