throw new RangeError('no luck at import');
